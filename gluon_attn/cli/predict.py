"""`gluon-attn predict`: classes and probabilities of image files, or the objects in them."""

import argparse
import json

from ..utils.errors import UserError
from ..utils.paths import expanded
from ..utils.printable import printable
from ..utils.progress import Progress
from .values import png, probability, whole

_IMAGES = (
    "image file, folder with images in it and below, pattern such as 'photos/*.jpg', or - for standard input, an image "
    "or paths, one a line; scaled to the network's input size"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn predict`."""
    parser.add_argument("images", nargs="+", metavar="IMAGE", help=_IMAGES)
    parser.add_argument(
        "--model", required=True, metavar="TARGET", help="run folder, deploy bundle or its file, or published network"
    )
    parser.add_argument("--top", type=whole, default=None, metavar="N", help="classes to show (default 3)")
    parser.add_argument("--picture", type=png, metavar="FILE.png", help="draw the images and their classes")
    detector = parser.add_argument_group("of a detector")
    detector.add_argument(
        "--output", metavar="DIR", help="folder for pictures and results.json, COCO's format (default detections)"
    )
    detector.add_argument("--score", type=probability, metavar="X", help="least score of what is shown (default 0.5)")
    detector.add_argument(
        "--over-epochs", action="store_true", help="also draw the images from each kept checkpoint: a sheet and a GIF"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list with an object for each image")


def run(args: argparse.Namespace) -> int:
    """Print the most probable classes of each image, or the objects found."""
    from ..deploy.predictor import load
    from ..runs.detector import is_detector

    objects = is_detector(expanded(args.model))
    for name in ("top", "picture") if objects else ("output", "score", "over_epochs"):
        if getattr(args, name) not in (None, False):
            if not objects:
                load(expanded(args.model))  # what is neither is told first
            what = "a detector" if objects else "a classifier"
            raise UserError(f"option {name} has no effect on {what}: leave it out")
    return _objects(args) if objects else _classes(args)


def _objects(args: argparse.Namespace) -> int:
    from ..runs.predict_objects import predict_objects

    output, score = "detections" if args.output is None else args.output, 0.5 if args.score is None else args.score
    with Progress("predicting"):
        results = predict_objects(args.images, args.model, output, score, args.over_epochs)
    if args.json:
        print(json.dumps(results, indent=2))
        return 0
    for result in results:
        words = (f"{item['class']} {item['score']:.2f}" for item in result["objects"])
        print(f"{printable(result['image'])}: {', '.join(words) or 'nothing'}")
    print(f"pictures and results: {output}")
    return 0


def _classes(args: argparse.Namespace) -> int:
    from ..runs.predict import predict

    with Progress("predicting"):
        results = predict(args.images, args.model, args.top or 3, args.picture)
    if args.json:
        print(json.dumps(results, indent=2))
        return 0
    for result in results:
        words = (f"{item['class']} {item['probability']:.1%}" for item in result["classes"])
        print(f"{printable(result['image'])}: {', '.join(words)}")
    return 0
