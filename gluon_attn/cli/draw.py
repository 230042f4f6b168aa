"""`gluon-attn draw`: a picture of a searched cell."""

import argparse
from pathlib import Path

from ..utils.paths import check_new_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn draw`."""
    parser.add_argument(
        "genotype", metavar="NAME|FILE",
        help="a published genotype, such as Att_DARTS, a file with one, or Genotype(...) as logs print it",
    )  # fmt: skip
    parser.add_argument("--out", metavar="FILE", help="a .png, .svg or .pdf file (default: NAME.png here)")


def run(args: argparse.Namespace) -> int:
    """Draw it and print the path of the picture."""
    from ..analyze.draw import draw, open_genotype
    from ..genotypes.files import is_file_name
    from ..genotypes.text import is_call

    check_new_file(args.out, "option out")
    name = "genotype" if is_call(args.genotype) and not is_file_name(args.genotype) else Path(args.genotype).stem
    path = args.out or f"{name}.png"
    draw(open_genotype(args.genotype), path)
    print(path)
    return 0
