"""Classify image files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..utils.paths import expanded


def predict(images: Sequence[str | Path], model: str | Path, top: int = 3) -> list[dict[str, Any]]:
    """The most probable classes of each image.

    Args:
        images: Image files; each is scaled to the network's input size.
        model: Run folder, deploy bundle or its file, or published network.
        top: How many classes.

    Returns:
        For each image {"image": its path, "classes": [{"class": name, "probability": from 0 to 1}, ...]}, the most
        probable class first.

    Raises:
        UserError: An image or the network cannot be read.
    """
    import numpy as np

    from ..data.image_file import read_image
    from ..data.image_notes import Notes
    from ..deploy import evaluate
    from ..deploy.predictor import load

    predictor = load(expanded(model))
    card, note = predictor.card, Notes()
    height, width = card.input_shape[1:]
    pixels = np.stack([read_image(expanded(path), height, width, note) for path in images])
    probabilities = evaluate.probabilities(predictor.predict(pixels))
    names: Sequence[Any] = card.class_names if len(card.class_names) == card.classes else range(card.classes)
    return [
        {"image": str(path), "classes": [{"class": str(names[i]), "probability": float(row[i])} for i in best]}
        for path, row, best in zip(images, probabilities, evaluate.top(probabilities, top), strict=True)
    ]
