"""`gluon-attn predict`: classes and probabilities of image files."""

import json

from ..utils.errors import UserError
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

    from ..deploy.predictor import load
    from ..deploy.score import probabilities, top

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


def read_image(path, height, width):
    """An image file as (height, width, 3) uint8 RGB.

    Turned as its EXIF entry says, then scaled bilinearly to the whole size; neither the proportions nor the edges are
    kept otherwise. A file that is missing or no whole image is a `UserError`.
    """
    import numpy as np
    from PIL import Image, ImageFile, ImageOps

    ImageFile.LOAD_TRUNCATED_IMAGES = False  # GluonCV, once imported, has cut images pass as grey

    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            return np.asarray(upright.resize((width, height), Image.Resampling.BILINEAR))
    except FileNotFoundError:
        raise UserError(f"image {path} does not exist") from None
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise UserError(f"image {path} cannot be read: {error}") from None
