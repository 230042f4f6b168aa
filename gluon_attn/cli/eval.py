"""`gluon-attn eval`: how well a run folder, an exported file, a published network or a model does on test images."""

import json
from pathlib import Path

from ..utils.errors import UserError
from ..utils.files import ensure_dir, write_json
from ..utils.table import render
from .values import png, share, size, whole


def add_arguments(parser):
    """Flags of `gluon-attn eval`."""
    parser.add_argument(
        "target", metavar="TARGET",
        help="run folder, folder of an exported form or its file, published network, or with --params a model's name",
    )  # fmt: skip
    parser.add_argument("--params", metavar="FILE", help="parameter file of the model that TARGET names")
    parser.add_argument("--dataset", metavar="NAME", help="data set (default: what the network was trained on)")
    parser.add_argument("--data-dir", metavar="DIR", help="folder with the data set's files")
    parser.add_argument("--rec-val", metavar="FILE", help="photographs in a record file")
    parser.add_argument("--input-size", type=size, metavar="N", help="side of the images in pixels (default: its own)")
    parser.add_argument("--crop-ratio", type=share, metavar="X", help="centre crop over shorter side (default 0.875)")
    parser.add_argument("-b", "--batch-size", type=whole, default=128, metavar="N", help="images a pass (default 128)")
    parser.add_argument("--per-class", action="store_true", help="list the classes, the worst first")
    parser.add_argument("--confusion", type=png, metavar="FILE", help="draw which classes are taken for which, as PNG")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--output", metavar="FILE", help="write that JSON object to a file")


def run(args):
    """Print, and with `--output` and `--confusion` write, what was measured."""
    from ..deploy.evaluate import by_class, score

    for path in filter(None, (args.output, args.confusion)):
        ensure_dir(Path(path).parent)  # what cannot be written shows before the work
    predictor, source = _open(args)
    names = source.class_names
    result = score(predictor, source.val, args.batch_size)
    found = {"target": args.target, "kind": predictor.kind, "dataset": source.name}
    found |= {"input_size": predictor.card.input_shape[1], **result.to_dict()}
    if args.crop_ratio:
        found["crop_ratio"] = args.crop_ratio
    if args.per_class:
        found["classes"] = by_class(result.confusion, names)
    if args.confusion:
        from ..analyze.plots import draw_confusion

        draw_confusion(result.confusion, names, args.confusion)
    if args.output:
        write_json(args.output, found)
    print(json.dumps(found) if args.json else _lines(found, args.batch_size))
    return 0


def _open(args):
    """(predictor, `Dataset` with the test images)."""
    from ..deploy.predictor import load
    from ..models.factory import list_models
    from ..runs.evaluation_data import open_test_set

    options = {name: getattr(args, name) for name in ("data_dir", "rec_val", "crop_ratio", "input_size")}
    if args.params:
        return _named(args, options)
    if args.target in list_models() and not Path(args.target).exists():
        raise UserError(f"{args.target} is a model without weights: name its parameter file with --params FILE")
    predictor = load(args.target, args.input_size)
    return predictor, open_test_set(args.target, predictor.card, args.dataset, **options)


def _named(args, options):
    """The same for a network by its name: the data say how many classes it has."""
    from ..deploy.predictor import of_network
    from ..runs.network import make_card, named_network

    net, source = named_network(args.target, args.params, args.dataset, options)
    return of_network(net, make_card(net, source), "params"), source


def _lines(found, batch_size):
    """What people read."""
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


def _cells(row):
    mistaken = row["mistaken_for"]
    taken = f"{mistaken['class']} ({mistaken['images']})" if mistaken else None
    return str(row["class"]), row["images"], f"{row['accuracy']:7.2%}", taken
