"""Classify image files."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..utils.paths import check_new_file, expanded

BATCH = 128  # images in memory at once


def predict(
    images: Sequence[str | Path], model: str | Path, top: int = 3, picture: str | Path | None = None
) -> list[dict[str, Any]]:
    """The most probable classes of each image.

    Args:
        images: Image files, folders, patterns, and - for standard input, see `data.image_inputs`; each image is scaled
            to the network's input size.
        model: Run folder, deploy bundle or its file, or published network.
        top: How many classes.
        picture: PNG file to write: each image, as the network gets it, with the bars of its most probable classes.

    Returns:
        For each image {"image": its path, "classes": [{"class": name, "probability": from 0 to 1}, ...]}, the most
        probable class first.

    Raises:
        UserError: An image or the network cannot be read, or the picture cannot be written. Of the images in a folder
            those that cannot be read are left out with a warning.
    """
    import numpy as np

    from ..data.image_file import resized
    from ..data.image_inputs import image_inputs, read_inputs
    from ..data.image_notes import Notes
    from ..deploy import evaluate
    from ..deploy.predictor import load

    check_new_file(picture, "option picture")
    predictor = load(expanded(model))
    card = predictor.card
    names: Sequence[Any] = card.class_names if len(card.class_names) == card.classes else range(card.classes)
    found: list[dict[str, Any]] = []
    drawn: list[np.ndarray] = []
    height, width = card.input_shape[1:]
    inputs = read_inputs(image_inputs(images), Notes())
    read = ((one.name, resized(pixels, height, width)) for one, pixels in inputs)
    while some := list(itertools.islice(read, BATCH)):
        pixels = np.stack([image for _, image in some])
        probabilities = evaluate.probabilities(predictor.predict(pixels))
        for (name, _), row, best in zip(some, probabilities, evaluate.top(probabilities, top), strict=True):
            classes = [{"class": str(names[i]), "probability": float(row[i])} for i in best]
            found.append({"image": name, "classes": classes})
        drawn += [] if picture is None else list(pixels)
    if picture is not None:
        from ..analyze.figures import save_png
        from ..analyze.gate_plots import draw_predictions

        best_of = [[(item["class"], item["probability"]) for item in one["classes"]] for one in found]
        save_png(draw_predictions(np.stack(drawn), [Path(one["image"]).name for one in found], best_of), picture)
    return found
