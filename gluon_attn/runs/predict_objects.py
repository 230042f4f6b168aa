"""Detect objects in image files: pictures, COCO's results format, and how they come about over the epochs of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data.image_inputs import image_inputs, read_inputs
from ..data.image_notes import Notes
from ..detect.pictures import draw, save_png
from ..detect.result_files import write_results
from ..detect.results import Detections, to_results
from ..detect.sheets import animation, contact_sheet
from ..utils.errors import UserError
from ..utils.files import ensure_dir, write_bytes
from ..utils.paths import check_output_folder, expanded
from .detector import TrainedDetector, open_detector
from .folder import RunFolder

_WIDTH = 320  # of a picture in a contact sheet
RESULTS, SHEET, FILM = "results.json", "epochs.png", "epochs.gif"


def predict_objects(
    images: Sequence[str | Path],
    model: str | Path,
    output: str | Path = "detections",
    score: float = 0.5,
    over_epochs: bool = False,
) -> list[dict[str, Any]]:
    """Detect objects in image files.

    Args:
        images: image files, folders, patterns, and - for standard input, see `data.image_inputs`.
        model: run folder or deploy bundle of a detector.
        output: folder for a picture of each image, NAME.png (of images of one name also NAME-2.png and so on), and
            results.json in COCO's results format, where the images are numbered from 1.
        score: least score of what is drawn and printed; results.json has all.
        over_epochs: also draw the images from each checkpoint that was kept: epochs.png and epochs.gif.

    Returns:
        For each image {"image": path, "objects": [{"class", "score", "box": [x1, y1, x2, y2]}, ...]}, best first.

    Raises:
        UserError: an image, the run or the folder cannot be read or written.
    """
    folder = Path(expanded(output))
    check_output_folder(str(folder), "option output")
    read = list(read_inputs(image_inputs(images), Notes()))
    paths, pixels = [one.name for one, _ in read], [image for _, image in read]
    detector = open_detector(expanded(model))
    if over_epochs and detector.kind != "run":
        raise UserError("option over_epochs is for a run folder: a deploy bundle has one epoch")
    if over_epochs and not any(detector.kept(RunFolder(expanded(model)).checkpoints)):
        raise UserError(f"{model} keeps no checkpoint: train with option keep_checkpoints, such as 12")
    found, names = detector.detect(pixels), detector.card.class_names
    ensure_dir(folder)
    for name, image, one in zip(picture_names(paths), pixels, found, strict=True):
        save_png(draw(image, one, names, score), folder / name)
    numbers = detector.card.detection["category_ids"]  # type: ignore[index]
    entries = [
        entry for number, (image, one) in enumerate(zip(pixels, found, strict=True), 1)
        for entry in to_results(one, number, (image.shape[0], image.shape[1]), numbers)
    ]  # fmt: skip
    write_results(folder / RESULTS, entries)
    if over_epochs:
        _draw_epochs(detector, RunFolder(expanded(model)), paths, pixels, folder, score)
    return [_plain(path, one.above(score), names) for path, one in zip(paths, found, strict=True)]


def picture_names(images: Sequence[str | Path]) -> list[str]:
    """Name of each image's picture: none is that of another picture of the folder, on any file system."""
    taken = {SHEET}
    found = []
    for stem in (Path(path).stem for path in images):
        tried = (f"{stem}{ending}.png" for ending in ("", *(f"-{number}" for number in range(2, len(images) + 3))))
        found.append(next(name for name in tried if name.lower() not in taken))
        taken.add(found[-1].lower())
    return found


def _draw_epochs(
    detector: TrainedDetector, run: RunFolder, images: Sequence[Any], pixels: Sequence[np.ndarray], folder: Path,
    score: float,
) -> None:  # fmt: skip
    columns, headings = [], []
    for epoch, one in detector.at_epochs(run.checkpoints):
        headings.append(f"epoch {epoch}")
        columns.append([
            draw(image, found, detector.card.class_names, score, _WIDTH)
            for image, found in zip(pixels, one.detect(pixels), strict=True)
        ])  # fmt: skip
    rows = [list(row) for row in zip(*columns, strict=True)]
    save_png(contact_sheet(rows, headings, [Path(path).name for path in images], _WIDTH), folder / SHEET)
    write_bytes(folder / FILM, animation(rows, headings, width=_WIDTH))


def _plain(path: str | Path, found: Detections, names: Sequence[str]) -> dict[str, Any]:
    rows = zip(found.labels.tolist(), found.scores.tolist(), found.boxes.tolist(), strict=True)
    objects = [{"class": names[label], "score": score, "box": box} for label, score, box in rows]
    return {"image": str(path), "objects": objects}
