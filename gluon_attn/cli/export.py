"""`gluon-attn export`: a run's best network as files for other programs."""

from ..utils.errors import UserError


def add_arguments(parser):
    """Flags of `gluon-attn export`."""
    parser.add_argument("run", metavar="RUN", help="run folder, such as runs/NAME")
    parser.add_argument(
        "--format", nargs="+", default=["symbol"], choices=("symbol", "onnx"),
        help="symbol: MXNet's NAME-symbol.json and .params (default); onnx: NAME.onnx",
    )  # fmt: skip
    parser.add_argument("--output", metavar="DIR", help="folder to write to (default RUN/export)")
    parser.add_argument(
        "--preprocess", action="store_true", help="the graph takes raw images: uint8, N,H,W,C, values 0 to 255"
    )
    parser.add_argument("--no-check", action="store_true", help="do not load the files back and compare them")
    parser.add_argument("--data-dir", metavar="DIR", help="folder of the data set, whose test images the check uses")


def run(args):
    """Export, compare, and print a line a file."""
    from ..deploy.export import export_run

    images = None if args.no_check else _images(args)
    formats = dict.fromkeys(args.format)
    paths, agreements = export_run(
        args.run, formats, args.output, preprocess=args.preprocess, images=images, check=not args.no_check
    )
    for line in agreements or (f"wrote {path}, unchecked" for path in paths):
        print(line)
    return 0


def _images(args):
    """Some of the run's test images; None, which means random ones, where its data set is not at hand."""
    from ..deploy.run import load_card
    from ..utils.log import get_logger
    from .evaluation_set import open_test_set

    card = load_card(args.run)
    try:
        test = open_test_set(args.run, card, data_dir=args.data_dir).val
        return test.take(range(min(len(test), 256)), None)[0]
    except UserError as error:
        if args.data_dir:
            raise
        get_logger().warning("the check uses random images: %s", error)
        return None
