"""`gluon-attn demo`: the complete workflow on real handwritten digits, in a few minutes on two cores."""

import argparse

from ..utils.table import render
from .values import whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn demo`."""
    parser.add_argument("--output", metavar="DIR", default="runs/demo", help="folder (default runs/demo, numbered)")
    parser.add_argument("--num-epochs", type=whole, default=8, metavar="N", help="epochs of each run (default 8)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of everything random (default 1)")


def run(args: argparse.Namespace) -> int:
    """Compare, export, check; print the table and how the exported files compare."""
    from ..runs.demo import demo
    from ..runs.pages.comparison import conclusions, table

    done = demo(args.output, args.num_epochs, args.seed)
    print(f"\n{render(*table(done.comparison))}\n")
    print("\n".join(conclusions(done.comparison)))
    print(f"\n{done.best.name} is exported, with the weights of its best epoch:")
    print("\n".join(done.exported))
    print(f"next: {'; '.join(done.next)}")
    print(f"curves and table: {done.comparison.folder.page}")
    return 0
