"""COCO's figures of boxes and masks, by pycocotools.

What pycocotools cannot do is done here: no results at all, annotations numbered 0 (which it never matches) or twice,
masks of another size than their image (which overlap nothing there), a `bbox` beside a mask (whose area it takes).
"""

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..utils.errors import UserError
from ..utils.log import get_logger
from ..utils.optional import require
from ..utils.table import render
from .result_files import check_scores
from .results import Result

#: the figures in pycocotools' order: average precision and recall, by IoU, by area, by results an image
NAMES = (
    "mAP", "mAP_50", "mAP_75", "mAP_s", "mAP_m", "mAP_l", "AR_1", "AR_10", "AR_100", "AR_s", "AR_m", "AR_l",
)  # fmt: skip
#: what is evaluated -> the key of a result
KINDS = {"bbox": "bbox", "segm": "segmentation"}


@dataclass(frozen=True)
class Figures:
    """What pycocotools found for boxes or for masks.

    Attributes:
        values: name of `NAMES` -> figure; None where there is no object that counts.
        per_class: name of the class -> AP; None where the data set has none of it.
        precision: (IoU thresholds, recalls, classes, areas, limits) behind them, -1 for none.
        recall: (IoU thresholds, classes, areas, limits), likewise.
    """

    values: dict[str, float | None]
    per_class: dict[str, float | None]
    precision: np.ndarray
    recall: np.ndarray


def evaluate(
    ground_truth: Mapping[str, Any],
    results: Sequence[Result],
    kinds: Sequence[str] | None = None,
    name: str = "results",
) -> dict[str, Figures]:
    """Compare results with a data set, boxes and masks.

    Results of several processes may be joined in any order: images go by number, and the given order counts in each.

    Args:
        ground_truth: what a COCO annotation file holds: images, categories, annotations. It is not changed.
        results: entries of COCO's results format.
        kinds: "bbox", "segm" (default: what all results have; both where there are none).
        name: what messages call the results.

    Returns:
        Kind -> figures.

    Raises:
        UserError: a result has no finite score, no box or mask, an image that the data set lacks, or a mask of another
            size than it; or pycocotools is missing.
    """
    check_scores(results, name)
    known = _of_known_classes(ground_truth, results)
    kinds = kinds or [kind for kind, key in KINDS.items() if all(key in entry for entry in results)]
    _check(ground_truth, results, kinds, name)
    annotations = [{**entry, "id": number} for number, entry in enumerate(ground_truth["annotations"], 1)]
    return {kind: measure({**ground_truth, "annotations": annotations}, known, kind) for kind in kinds}


def measure(ground_truth: Mapping[str, Any], results: Sequence[Result], kind: str) -> Figures:
    """The figures of boxes or masks as pycocotools gives them; nothing is checked, and annotation 0 never matches.

    Args:
        ground_truth: as of `evaluate`, also unchanged.
        results: likewise, of known images.
        kind: "bbox" or "segm".

    Returns:
        The figures.
    """
    cocoeval = require("pycocotools.cocoeval")
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        truth = _indexed(ground_truth, [_annotation(entry, kind) for entry in ground_truth["annotations"]])
        found = _indexed(ground_truth, _as_annotations(results, kind))
        run = cocoeval.COCOeval(truth, found, kind)
        run.evaluate()
        run.accumulate()
        run.summarize()
    names = {entry["id"]: str(entry.get("name", entry["id"])) for entry in ground_truth["categories"]}
    classes = [names[category] for category in run.params.catIds]
    precision, recall = run.eval["precision"], run.eval["recall"]
    return Figures(
        {name: _or_none(value) for name, value in zip(NAMES, run.stats, strict=True)},
        {name: _mean(precision[:, :, index, 0, -1]) for index, name in enumerate(classes)},
        precision, recall,
    )  # fmt: skip


def class_table(per_class: Mapping[str, Mapping[str, float | None]]) -> str:
    """A table of the AP of each class: kind -> name of a class -> its AP."""
    names = next(iter(per_class.values()))
    rows = [(name, *(figure_text(found[name]) for found in per_class.values())) for name in names]
    return render(("class", *(f"{kind} AP" for kind in per_class)), rows)


def figure_text(value: float | None) -> str:
    """A figure with three digits; a dash for one that there is not."""
    return "-" if value is None else f"{value:.3f}"


def _of_known_classes(ground_truth: Mapping[str, Any], results: Sequence[Result]) -> list[Result]:
    """The results without those of classes that the data set lacks, which change no figure, and which are told."""
    categories = {entry["id"] for entry in ground_truth["categories"]}
    known = [entry for entry in results if entry["category_id"] in categories]
    if len(known) < len(results):
        strange = sorted({entry["category_id"] for entry in results} - categories)
        get_logger().warning(
            "%d of %d results do not count: the data set has no category %s",
            len(results) - len(known), len(results), ", ".join(map(str, strange[:5])) + ", ..." * (len(strange) > 5),
        )  # fmt: skip
    return known


def _check(ground_truth: Mapping[str, Any], results: Sequence[Result], kinds: Sequence[str], name: str) -> None:
    """What pycocotools would crash on, or silently misread."""
    sizes = {image["id"]: [image["height"], image["width"]] for image in ground_truth["images"]}
    if results and not kinds:
        raise UserError("the results have neither all a bbox nor all a segmentation: split them into two lists")
    for index, entry in enumerate(results):
        where = f"{name}, entry {index} (the first is 0)"
        if entry["image_id"] not in sizes:
            raise UserError(
                f"{where}: the data set has no image {entry['image_id']}; are these the results of another one?"
            )
        missing = [KINDS[kind] for kind in kinds if KINDS[kind] not in entry]
        if missing:
            raise UserError(f"{where}: it has no {missing[0]}")
        image, mask = sizes[entry["image_id"]], entry.get("segmentation")
        if "segm" in kinds and mask is not None and list(mask["size"]) != image:
            found, wanted = (" x ".join(map(str, size)) for size in (mask["size"], image))
            raise UserError(f"{where}: its mask has {found} pixels, image {entry['image_id']} has {wanted}")


def _annotation(entry: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """A copy, since pycocotools writes into it. An object without a mask is a region where masks do not count."""
    copy = {"iscrowd": 0, **entry}
    if kind == "segm" and not copy.get("segmentation"):
        x, y, width, height = copy["bbox"]
        right, bottom = x + width, y + height
        copy.update(segmentation=[[x, y, right, y, right, bottom, x, bottom]], iscrowd=1)
    return copy


def _as_annotations(results: Sequence[Result], kind: str) -> list[dict[str, Any]]:
    """Results with the number and the area that pycocotools needs."""
    if kind == "bbox":
        areas = [entry["bbox"][2] * entry["bbox"][3] for entry in results]
    else:
        areas = _areas([entry["segmentation"] for entry in results])
    return [
        {
            "id": number, "image_id": entry["image_id"], "category_id": entry["category_id"], "score": entry["score"],
            "iscrowd": 0, "area": float(area), KINDS[kind]: entry[KINDS[kind]],
        }
        for number, (entry, area) in enumerate(zip(results, areas, strict=True), 1)
    ]  # fmt: skip


def _areas(masks: Sequence[Any]) -> list[int]:
    """Pixels of each mask; pycocotools 2.0.11 counts the masks of a call in 8 bits, which NumPy 2 makes an error."""
    area = require("pycocotools.mask").area
    return [pixels for first in range(0, len(masks), 255) for pixels in area(masks[first : first + 255])]


def _indexed(ground_truth: Mapping[str, Any], annotations: list[dict[str, Any]]) -> Any:
    """pycocotools' object of a data set with these annotations."""
    data = require("pycocotools.coco").COCO()
    data.dataset = {**ground_truth, "annotations": annotations}
    data.createIndex()
    return data


def _mean(values: np.ndarray) -> float | None:
    counted = values[values > -1]
    return float(counted.mean()) if counted.size else None


def _or_none(value: float) -> float | None:
    return None if value == -1 else float(value)
