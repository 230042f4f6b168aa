"""`gluon-attn eval`: the test accuracy of a run folder, a symbol file or an ONNX file."""

import json

from .values import whole


def add_arguments(parser):
    """Flags of `gluon-attn eval`."""
    parser.add_argument("target", metavar="TARGET", help="run folder, NAME-symbol.json or NAME.onnx")
    parser.add_argument("--dataset", metavar="NAME", help="data set (default: what the network was trained on)")
    parser.add_argument("--data-dir", metavar="DIR", help="folder with the data set's files")
    parser.add_argument("-b", "--batch-size", type=whole, default=128, metavar="N", help="images a pass (default 128)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args):
    """Print the number of test images, the accuracy and the time an image."""
    from ..deploy.predictor import load
    from ..deploy.score import score
    from .evaluation_set import open_test_set

    predictor = load(args.target)
    test = open_test_set(args.target, predictor.card, args.dataset, args.data_dir)
    result = score(predictor, test.images, test.labels, args.batch_size)
    dataset = args.dataset or predictor.card.dataset
    if args.json:
        print(json.dumps({"target": args.target, "kind": predictor.kind, "dataset": dataset, **result.to_dict()}))
        return 0
    values = result.to_dict()
    print(f"{args.target} ({predictor.kind}) on {dataset}: {result.images} test images")
    print(f"top-1     {values['accuracy']:8.2%}  ({result.correct} correct)")
    if "top5" in values:
        print(f"top-5     {values['top5']:8.2%}")
    print(f"ms/image  {result.ms:8.3f}  (batch {args.batch_size})")
    return 0
