"""`gluon-attn predict`: classes and probabilities of image files."""

import json

from .values import whole


def add_arguments(parser):
    """Flags of `gluon-attn predict`."""
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="image file; scaled to the network's input size")
    parser.add_argument(
        "--model", required=True, metavar="TARGET",
        help="run folder, folder of an exported form or its file, or published network",
    )  # fmt: skip
    parser.add_argument("--top", type=whole, default=3, metavar="N", help="classes to show (default 3)")
    parser.add_argument("--json", action="store_true", help="print a JSON list with an object an image")


def run(args):
    """Print the most probable classes of each image."""
    import numpy as np

    from ..data.image_file import read_image
    from ..deploy.evaluate import probabilities, top
    from ..deploy.predictor import load

    predictor = load(args.model)
    card = predictor.card
    images = np.stack([read_image(path, *card.input_shape[1:]) for path in args.images])
    shares = probabilities(predictor.predict(images))
    names = card.class_names if len(card.class_names) == card.classes else range(card.classes)
    results = [
        {"image": path, "classes": [{"class": str(names[i]), "probability": float(row[i])} for i in best]}
        for path, row, best in zip(args.images, shares, top(shares, args.top), strict=True)
    ]
    if args.json:
        print(json.dumps(results, indent=2))
        return 0
    for result in results:
        words = (f"{item['class']} {item['probability']:.1%}" for item in result["classes"])
        print(f"{result['image']}: {', '.join(words)}")
    return 0
