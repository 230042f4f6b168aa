"""`gluon-attn eval`: accuracy of a run folder, an exported file, a published network or a model on test images.

Of a detector's run folder or deploy bundle COCO's figures.
"""

import argparse
import json
from typing import Any

from ..utils.errors import UserError
from ..utils.files import write_json
from ..utils.paths import check_new_file, expanded
from ..utils.table import render
from .values import png, share, size, whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn eval`."""
    parser.add_argument(
        "target", metavar="TARGET",
        help="run folder, deploy bundle or its file, published network, or with --params a model's name",
    )  # fmt: skip
    parser.add_argument("--params", metavar="FILE", help="parameter file of the model that TARGET names")
    parser.add_argument("--dataset", metavar="NAME", help="data set (default: the one that the network was trained on)")
    parser.add_argument("--data-dir", metavar="DIR", help="folder with the data set's files")
    parser.add_argument("--rec-val", metavar="FILE", help="photographs in a record file")
    parser.add_argument("--input-size", type=size, metavar="N", help="side of the images in pixels (default: its own)")
    parser.add_argument("--crop-ratio", type=share, metavar="X", help="centre crop over shorter side (default 0.875)")
    parser.add_argument(
        "-b", "--batch-size", type=whole, metavar="N", help="images per pass (default 128; a detector: one)"
    )
    parser.add_argument("--per-class", action="store_true", help="list the classes, the worst first")
    parser.add_argument("--confusion", type=png, metavar="FILE", help="draw which classes are taken for which, as PNG")
    parser.add_argument(
        "--results", metavar="FILE", help="of a detector: evaluate this file in COCO's results format, of any program"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--output", metavar="FILE", help="write that JSON object to a file")


def run(args: argparse.Namespace) -> int:
    """Print, and with `--output` and `--confusion` write, what was measured."""
    from ..runs.detector import is_detector
    from ..runs.evaluate import evaluate

    for name in ("output", "confusion"):
        check_new_file(getattr(args, name), f"option {name}")
    if is_detector(expanded(args.target)):
        return _objects(args)
    if args.results:
        raise UserError("option results is for a detector's run folder: leave it out")
    options = ("params", "dataset", "data_dir", "rec_val", "input_size", "crop_ratio", "batch_size")
    args.batch_size = args.batch_size or 128
    result = evaluate(args.target, **{name: getattr(args, name) for name in options})
    found = result.to_dict(args.per_class)
    if args.confusion:
        from ..analyze.charts import draw_confusion

        draw_confusion(result.score.confusion, result.class_names, args.confusion)
    if args.output:
        write_json(args.output, found)
    print(json.dumps(found) if args.json else _lines(found, min(args.batch_size, result.images)))
    return 0


#: options that say what a classifier is evaluated on
_OF_CLASSIFIERS = ("params", "dataset", "rec_val", "input_size", "crop_ratio", "confusion", "batch_size")


def _objects(args: argparse.Namespace) -> int:
    from ..detect.figures import class_table, figure_text
    from ..runs.evaluate_objects import evaluate_objects

    for name in _OF_CLASSIFIERS:
        if getattr(args, name):
            raise UserError(f"option {name} has no effect on a detector: leave it out")
    found = evaluate_objects(args.target, args.results, args.data_dir)
    plain = found.to_dict(args.per_class)
    if args.output:
        write_json(args.output, plain)
    if args.json:
        print(json.dumps(plain))
        return 0
    names = next(iter(found.figures.values())).values
    rows = [(kind, *map(figure_text, one.values.values())) for kind, one in found.figures.items()]
    print(f"{args.target} on {found.dataset}: {found.images} test images\n{render(('', *names), rows)}")
    if args.per_class:
        print(f"\n{class_table({kind: one.per_class for kind, one in found.figures.items()})}")
    return 0


def _lines(found: dict[str, Any], batch_size: int) -> str:
    """The measurement as text."""
    lines = [
        f"{found['target']} ({found['kind']}) on {found['dataset']}: {found['images']} test images",
        f"top-1     {found['accuracy']:8.2%}  ({found['correct']} correct)",
    ]
    if "top5" in found:
        lines.append(f"top-5     {found['top5']:8.2%}")
    lines.append(f"ms/image  {found['ms_per_image']:8.3f}  (batch {batch_size})")
    if "classes" in found:
        rows = [_cells(row) for row in found["classes"]]
        lines += ["", render(("class", "images", "top-1", "most often taken for"), rows)]
    return "\n".join(lines)


def _cells(row: dict[str, Any]) -> tuple[str, int, str, str | None]:
    mistaken = row["mistaken_for"]
    taken = f"{mistaken['class']} ({mistaken['images']})" if mistaken else None
    return str(row["class"]), row["images"], f"{row['accuracy']:7.2%}", taken
