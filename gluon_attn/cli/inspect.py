"""`gluon-attn inspect`: what the attention of a network does."""

import argparse

from ..utils.progress import Progress
from ..utils.table import render
from .values import whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn inspect`."""
    parser.add_argument("target", metavar="RUN|MODEL", help="run folder or published network")
    parser.add_argument(
        "files", nargs="*", metavar="IMAGE", help="image file, folder or pattern; scaled to the input size"
    )
    parser.add_argument("--output", metavar="DIR", help="folder to write (default inspect/NAME)")
    parser.add_argument(
        "--class", dest="class_name", metavar="NAME|N",
        help="class that Grad-CAM asks about (default: the most probable one of each image)",
    )  # fmt: skip
    parser.add_argument("--dataset", metavar="NAME", help="data set over whose test images statistics are taken")
    parser.add_argument("--data-dir", metavar="DIR", help="folder with the data set's files")
    parser.add_argument(
        "--images", type=whole, default=500, metavar="N", help="most images of the data set (default 500)"
    )
    parser.add_argument("--top", type=whole, default=3, metavar="N", help="classes to show (default 3)")


def run(args: argparse.Namespace) -> int:
    """Print the most probable classes, the statistics by stage, and what was written."""
    from ..runs.inspect import inspect
    from ..runs.inspection import HEADER, conclusions, stage_rows

    with Progress("inspecting"):
        found = inspect(
            args.target, args.files, args.output, class_name=args.class_name, dataset=args.dataset,
            data_dir=args.data_dir, count=args.images, top=args.top,
        )  # fmt: skip
    for name, look in found.looks.items():
        print(f"{name}: {', '.join(f'{one} {probability:.1%}' for one, probability in look.classes)}")
    if found.statistics:
        print(render(HEADER, stage_rows(found.statistics)))
    print("\n".join([*conclusions(found), f"pictures and tables: {found.page}"]))
    return 0
