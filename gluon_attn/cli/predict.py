"""`gluon-attn predict`: classes and probabilities of image files."""

import argparse
import json

from ..utils.printable import printable
from .values import png, whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn predict`."""
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="image file; scaled to the network's input size")
    parser.add_argument(
        "--model", required=True, metavar="TARGET", help="run folder, deploy bundle or its file, or published network"
    )
    parser.add_argument("--top", type=whole, default=3, metavar="N", help="classes to show (default 3)")
    parser.add_argument("--picture", type=png, metavar="FILE.png", help="draw the images and their classes")
    parser.add_argument("--json", action="store_true", help="print a JSON list with an object for each image")


def run(args: argparse.Namespace) -> int:
    """Print the most probable classes of each image."""
    from ..runs.predict import predict

    results = predict(args.images, args.model, args.top, args.picture)
    if args.json:
        print(json.dumps(results, indent=2))
        return 0
    for result in results:
        words = (f"{item['class']} {item['probability']:.1%}" for item in result["classes"])
        print(f"{printable(result['image'])}: {', '.join(words)}")
    return 0
