"""`gluon-attn report`: several runs on one HTML page."""

import argparse

from ..utils.table import render


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn report`."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folder, such as runs/NAME")
    parser.add_argument(
        "--output", metavar="FILE", default="report.html", help="page to write (default report.html); a single file"
    )


def run(args: argparse.Namespace) -> int:
    """Write the page, and print its table of scores."""
    from ..runs.report import report

    header, rows = report(args.runs, args.output)
    print(render(header, rows))
    print(f"curves and options that differ: {args.output}")
    return 0
