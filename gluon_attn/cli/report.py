"""`gluon-attn report`: runs and studies on one HTML page."""

import argparse

from ..utils.table import render


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn report`."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folder or study, such as runs/NAME or studies/NAME")
    parser.add_argument(
        "--output", metavar="FILE", default="report.html", help="page to write (default report.html); a single file"
    )


def run(args: argparse.Namespace) -> int:
    """Write the page, and print its tables of scores."""
    from ..runs.report import report

    parts = report(args.runs, args.output)
    for part in parts:
        if len(parts) > 1:
            print(f"{part.title}:")
        print("\n".join([render(part.header, part.rows), *part.lines]))
    print(f"curves and more: {args.output}")
    return 0
