"""`gluon-attn export`: a trained network as files for other programs."""

from ..utils.errors import UserError
from .values import percent, size, whole


def add_arguments(parser):
    """Flags of `gluon-attn export`. The choices stand in `deploy.forms`, which needs MXNet."""
    add = parser.add_argument
    add("target", metavar="RUN|MODEL", help="run folder, such as runs/NAME, or the name of a model with --params")
    add(
        "--format", nargs="+", choices=("symbol", "onnx", "openvino"),
        help="symbol: MXNet's NAME-symbol.json and .params (default); onnx: NAME.onnx; openvino: NAME.xml and .bin",
    )  # fmt: skip
    add(
        "--precision", nargs="+", choices=("float32", "float16", "bfloat16", "int8"),
        help="number types (default float32); float16 halves the files, bfloat16 and int8 compute in them",
    )  # fmt: skip
    add("--out", metavar="DIR", help="a folder a form, with card.json and example.py (default RUN/export)")
    add("--output", metavar="DIR", help="float32 symbol and ONNX files alone, side by side (default RUN/export)")
    add(
        "--with-preprocessing", "--preprocess", dest="preprocess", action="store_true",
        help="the graph takes raw images: uint8, N,H,W,C, values 0 to 255",
    )  # fmt: skip
    add("--dynamic", action="store_true", help="height and width are free as well as the batch")
    add("--for", dest="purpose", choices=("speed",), help="speed: write only the fastest form of equal accuracy")
    add("--batch-size", type=whole, metavar="N", help="images a pass that --for speed measures (default 8)")
    add("--max-drop", type=percent, metavar="X", help="per cent of accuracy that a form may lose (default 1)")
    add(
        "--calibration", choices=("naive", "entropy"),
        help="ranges of MXNet's int8: extremes (default), or least divergence, which takes minutes",
    )  # fmt: skip
    add("--calibration-images", type=whole, metavar="N", help="training images to calibrate int8 with (default 128)")
    add("--repository", nargs="+", choices=("ovms", "triton"), help="also write a model repository for these servers")
    add("--params", metavar="FILE", help="parameter file of the model that MODEL names")
    add("--dataset", metavar="NAME", help="images to test and calibrate with (default: what it was trained on)")
    add("--data-dir", metavar="DIR", help="folder of the data set, whose test images the check uses")
    add("--rec-val", metavar="FILE", help="test images in a record file")
    add("--input-size", type=size, metavar="N", help="side of the images of a MODEL (default: its own)")
    add("--no-check", action="store_true", help="--output only: do not load the files back and compare them")


def run(args):
    """Export, compare, and print a line a form."""
    bare = _bare(args)
    if bare and args.out is None:
        return _run_bare(args)
    if args.output is not None:
        raise UserError("--output takes float32 symbol and ONNX files of a run alone: name the folder with --out")
    if args.no_check:
        raise UserError("what --out holds is always checked: leave --no-check out")
    from ..runs.export import run_forms

    return run_forms(args)


def _bare(args):
    """Whether nothing is asked for that only folders of forms have."""
    import os

    special = (
        args.dynamic, args.purpose, args.batch_size, args.max_drop is not None, args.calibration,
        args.calibration_images, args.repository, args.params, args.dataset, args.rec_val, args.input_size,
        set(args.precision or ()) - {"float32"}, "openvino" in (args.format or ()),
    )  # fmt: skip
    return not any(special) and (os.path.exists(args.target) or not _is_model(args.target))


def _is_model(name):
    from ..models.factory import list_models

    return name in list_models()


def _run_bare(args):
    from ..deploy.export import export_run

    images = None if args.no_check else _images(args)
    formats = dict.fromkeys(args.format or ["symbol"])
    check = not args.no_check
    paths, agreements = export_run(args.target, formats, args.output, args.preprocess, images, check)
    for line in agreements or (f"wrote {path}, unchecked" for path in paths):
        print(line)
    return 0


def _images(args):
    """Some of the run's test images; None, which means random ones, where its data set is not at hand."""
    from ..deploy.load_run import load_card
    from ..runs.evaluation_data import open_test_set
    from ..utils.log import get_logger

    card = load_card(args.target)
    try:
        test = open_test_set(args.target, card, data_dir=args.data_dir).val
        return test.take(range(min(len(test), 256)), None)[0]
    except UserError as error:
        if args.data_dir:
            raise
        get_logger().warning("the check uses random images: %s", error)
        return None
