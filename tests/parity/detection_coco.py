"""Golden cases of COCO's figures: our use of pycocotools, and our masks, against what pycocotools gave by itself."""

import json

import numpy as np
import pytest

from gluon_attn.data import rle
from gluon_attn.detect import figures, result_files

TOLERANCE = {"rtol": 0, "atol": 1e-9}


def check_figures(case):
    """The 12 figures of boxes and of masks, and the tables behind them."""
    pytest.importorskip("pycocotools")
    truth, found = data_set(case), result_files.read_results(case.path / f"coco_dt_{case.config['results']}.json")
    for kind in ("bbox", "segm"):
        measured = figures.measure(truth, found, kind)
        assert tuple(measured.values) == figures.NAMES
        compare(measured, case.entry[kind])
        precision = measured.precision
        averages = np.where(precision[:, 0] < 0, -1, precision.mean(1))
        np.testing.assert_allclose(averages, case.data[f"{kind}/ap"], **TOLERANCE)
        np.testing.assert_allclose(measured.recall, case.data[f"{kind}/recall"], **TOLERANCE)
    if case.config.get("shift_ids"):  # which `evaluate` does by itself
        for kind, measured in figures.evaluate(data_set(case, shift=0), found).items():
            compare(measured, case.entry[kind])


def check_masks(case):
    """Pixels, area and bounds of annotations; overlaps of results with them."""
    mask = pytest.importorskip("pycocotools.mask")
    truth, found = data_set(case), result_files.read_results(case.path / f"coco_dt_{case.config['results']}.json")
    sizes = {image["id"]: (image["height"], image["width"]) for image in truth["images"]}
    pixels = []
    for index, entry in enumerate(truth["annotations"]):
        inside = case.masks(f"mask/{index}", sizes[entry["image_id"]]).astype(bool)
        encoded = rle.from_mask(inside)
        assert encoded["counts"].encode() == mask.encode(np.asfortranarray(inside, np.uint8))["counts"]
        assert rle.area(encoded) == case.data["area"][index]
        assert list(rle.bounds(encoded)) == case.data["bounds"][index].tolist()
        if isinstance(entry["segmentation"], dict):
            assert (rle.to_mask(entry["segmentation"]) == inside).all()
        pixels.append(inside)
    for key in (key for key in case.data if key.startswith("iou/segm/")):
        image = key.rpartition("/")[2]
        objects, places = case.data[f"index/gt/{image}"], case.data[f"index/dt/{image}"]
        overlaps = [[overlap(rle.to_mask(found[d]["segmentation"]), pixels[g], truth["annotations"][g]["iscrowd"])
                     for g in objects] for d in places]  # fmt: skip
        np.testing.assert_allclose(overlaps, case.data[key], **TOLERANCE)


def data_set(case, shift=None):
    """The annotation file of a case, as its configuration changes it."""
    truth = json.loads((case.path / "coco_gt.json").read_text(encoding="utf-8"))
    below = case.config.get("area_below", np.inf)
    truth["annotations"] = [entry for entry in truth["annotations"] if entry["area"] < below]
    for entry in truth["annotations"]:
        entry["id"] += case.config.get("shift_ids", 0) if shift is None else shift
    return truth


def compare(measured, wanted):
    """The 12 figures against those of pycocotools, -1 for None."""
    found = [-1 if value is None else value for value in measured.values.values()]
    np.testing.assert_allclose(found, wanted, **TOLERANCE)


def overlap(found, wanted, crowd):
    """Intersection over union of two masks; over the first one's area for a crowd."""
    return (found & wanted).sum() / max((found if crowd else found | wanted).sum(), 1)


#: id of a case, or what it begins with -> its check
CHECKS = {"coco_masks": check_masks, "coco_": check_figures}
