"""`gluon-attn draw`: a picture of a searched cell."""

import argparse
from pathlib import Path

from ..utils.paths import check_new_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn draw`."""
    parser.add_argument("genotype", metavar="NAME|FILE", help="a published genotype, such as Att_DARTS, or a JSON file")
    parser.add_argument("--out", metavar="FILE", help="a .png, .svg or .pdf file (default: NAME.png here)")


def run(args: argparse.Namespace) -> int:
    """Draw it and print the path of the picture."""
    from ..analyze.draw import draw, open_genotype

    check_new_file(args.out, "option out")
    path = args.out or f"{Path(args.genotype).stem}.png"
    draw(open_genotype(args.genotype), path)
    print(path)
    return 0
