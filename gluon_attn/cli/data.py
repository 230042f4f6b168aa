"""`gluon-attn data pack`: class folders of photographs -> data records."""

import argparse
from pathlib import Path

from ..utils.errors import UserError
from ..utils.log import get_logger
from ..utils.paths import check_new_file
from .values import whole

_NAMED = 10  # unreadable images that warnings name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn data`."""
    parser.add_argument(
        "action", choices=["pack"], metavar="pack",
        help="write the image files of FOLDER/CLASS/ into PREFIX.rec, .idx and .lst, except unreadable ones",
    )  # fmt: skip
    parser.add_argument("folder", metavar="FOLDER", help="has a folder for each class")
    parser.add_argument("--output", metavar="PREFIX", help="path of the files without their endings (default: FOLDER)")
    parser.add_argument("--resize", type=whole, metavar="N", help="resize larger images to a shorter side of N")
    parser.add_argument("--quality", type=whole, metavar="Q", help="JPEG quality of resized images (default 95)")
    parser.add_argument("-j", "--num-workers", type=whole, default=4, metavar="N", help="threads (default 4)")


def run(args: argparse.Namespace) -> int:
    """Write the records; returns 0, the exit code."""
    from ..data.write_records import QUALITY, pack

    if args.quality and not args.resize:
        raise UserError("--quality has no effect without --resize: the files are packed as they are")
    if (args.quality or 1) > 100:
        raise UserError(f"--quality must be from 1 to 100, got {args.quality}")
    prefix = _prefix(args.folder, args.output or "")
    for ending in ("rec", "idx", "lst"):
        check_new_file(f"{prefix}.{ending}", "option output")
    count, errors = pack(args.folder, prefix, args.resize, args.quality or QUALITY, args.num_workers)
    for error in errors[:_NAMED]:
        get_logger().warning("left out: %s", error)
    if errors:
        get_logger().warning("%d of %d images cannot be read and were left out", len(errors), len(errors) + count)
    print(f"{count} images in {prefix}.rec, with {prefix}.idx and {prefix}.lst")
    return 0


def _prefix(folder: str, output: str) -> Path:
    """Path of the files without their endings: `output`, in it the name of `folder` if it is a folder, or `folder`."""
    named = Path(folder).expanduser()
    if named.name in ("", ".."):  # the current folder and those above have a name, too
        named = named.resolve()
    if not named.name:
        raise UserError(f"{folder} has no name: name the files with --output")
    prefix = Path(output).expanduser()
    is_folder = output.endswith("/") or prefix.name in ("", "..")
    return named if not output else prefix / named.name if is_folder else prefix
