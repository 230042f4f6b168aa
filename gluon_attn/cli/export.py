"""`gluon-attn export`: a trained network as files for other programs."""

import argparse
from typing import TYPE_CHECKING

from .values import percent, size, whole

if TYPE_CHECKING:
    from ..deploy.export import Exported


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn export`. Formats and precisions are those of `deploy.targets`, which needs MXNet."""
    add = parser.add_argument
    add("target", metavar="RUN|MODEL", help="run folder, such as runs/NAME, or the name of a model with --params")
    add(
        "--format", nargs="+", choices=("symbol", "onnx", "openvino"),
        help="symbol: MXNet's NAME-symbol.json and .params (default); onnx: NAME.onnx; openvino: NAME.xml and .bin",
    )  # fmt: skip
    add(
        "--precision", nargs="+", choices=("float32", "float16", "bfloat16", "int8"),
        help="dtypes (default float32); float16 halves the files, bfloat16 and int8 compute in them",
    )  # fmt: skip
    add("--output", "--out", metavar="DIR", help="folder to write to (default RUN/export, or runs/MODEL/export)")
    add(
        "--layout", choices=("files", "folders"),
        help="files: float32 symbol and ONNX files of a run, side by side, as it was trained; folders: a deploy bundle "
        "for each target, optimized, with card.json and example.py (default: files where no more is asked for)",
    )  # fmt: skip
    add(
        "--with-preprocessing", "--preprocess", dest="with_preprocessing", action="store_true",
        help="the graph takes raw images: uint8, N,H,W,C, values 0 to 255",
    )  # fmt: skip
    add("--dynamic", action="store_true", help="height and width are free as well as the batch size")
    add("--for", dest="purpose", choices=("speed",), help="speed: write only the fastest target of equal accuracy")
    add("--batch-size", type=whole, metavar="N", help="images per pass that --for speed measures (default 8)")
    add("--max-drop", type=percent, metavar="X", help="per cent of accuracy that a target may lose (default 1)")
    add(
        "--calibration", choices=("naive", "entropy"),
        help="ranges of MXNet's int8: extremes (naive, the default), or least divergence (entropy), which takes "
        "minutes",
    )  # fmt: skip
    add("--calibration-images", type=whole, metavar="N", help="training images to calibrate int8 with (default 128)")
    add(
        "--repository", nargs="+", choices=("ovms", "triton"), default=(),
        help="also write a model repository for these servers",
    )  # fmt: skip
    add("--params", metavar="FILE", help="parameter file of the model that MODEL names")
    add("--dataset", metavar="NAME", help="images to test and calibrate with (default: what it was trained on)")
    add("--data-dir", metavar="DIR", help="folder of the data set, whose test images the check uses")
    add("--rec-val", metavar="FILE", help="test images in a record file")
    add("--input-size", type=size, metavar="N", help="side of the images of a MODEL (default: its own)")
    add("--no-check", action="store_true", help="do not load the files back and compare them; layout files only")


def run(args: argparse.Namespace) -> int:
    """Export, and print a line for each target."""
    from ..runs.export import export
    from .bench import table

    options = vars(args).copy()
    target, for_speed = options.pop("target"), options.pop("purpose") == "speed"
    found = export(target, for_speed=for_speed, **options)
    if found.speeds:
        print(f"{table(found.speeds)}\n")
    for one in found:
        print(_line(one))
    for folder in found.repositories:
        print(f"wrote {folder}")
    return 0


def _line(one: "Exported") -> str:
    """What was written and how it compares with the network."""
    if one.agreement is None:
        return f"wrote {one.path}, unchecked"
    if one.path.is_file():
        return str(one.agreement)
    line = f"{one.target!s:18} {one.path}: {one.agreement.told}"
    if one.accuracy:
        before, after, images = (one.accuracy[key] for key in ("before", "after", "images"))
        line += f", accuracy {before:.2%} -> {after:.2%} on {images} images"
    return line
