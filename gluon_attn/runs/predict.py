"""Classify image files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..utils.paths import check_new_file, expanded


def predict(
    images: Sequence[str | Path], model: str | Path, top: int = 3, picture: str | Path | None = None
) -> list[dict[str, Any]]:
    """The most probable classes of each image.

    Args:
        images: Image files; each is scaled to the network's input size.
        model: Run folder, deploy bundle or its file, or published network.
        top: How many classes.
        picture: PNG file to write: each image, as the network gets it, with the bars of its most probable classes.

    Returns:
        For each image {"image": its path, "classes": [{"class": name, "probability": from 0 to 1}, ...]}, the most
        probable class first.

    Raises:
        UserError: An image or the network cannot be read, or the picture cannot be written.
    """
    import numpy as np

    from ..data.image_file import read_image
    from ..data.image_notes import Notes
    from ..deploy import evaluate
    from ..deploy.predictor import load

    check_new_file(picture, "option picture")
    predictor = load(expanded(model))
    card, note = predictor.card, Notes()
    height, width = card.input_shape[1:]
    pixels = np.stack([read_image(expanded(path), height, width, note) for path in images])
    probabilities = evaluate.probabilities(predictor.predict(pixels))
    names: Sequence[Any] = card.class_names if len(card.class_names) == card.classes else range(card.classes)
    found: list[dict[str, Any]] = [
        {"image": str(path), "classes": [{"class": str(names[i]), "probability": float(row[i])} for i in best]}
        for path, row, best in zip(images, probabilities, evaluate.top(probabilities, top), strict=True)
    ]
    if picture is not None:
        from ..analyze.figures import save_png
        from ..analyze.gate_plots import draw_predictions

        best_of = [[(item["class"], item["probability"]) for item in one["classes"]] for one in found]
        save_png(draw_predictions(pixels, [Path(path).name for path in images], best_of), picture)
    return found
