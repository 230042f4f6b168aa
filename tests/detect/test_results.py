"""Detections, and their entries in COCO's format."""

import json

import numpy as np
import pytest

from gluon_attn.detect import results
from gluon_attn.detect.result_files import read_results, write_results
from gluon_attn.detect.results import Detections

SIZE, CATEGORIES = (60, 80), (3, 7, 90)


def some(count=5, masked=True):
    random = np.random.default_rng(3)
    corners = random.uniform(0, 40, (count, 2))
    boxes = np.concatenate([corners, corners + random.uniform(1, 30, (count, 2))], 1)
    return Detections(
        boxes.astype(np.float32), random.random(count).astype(np.float32), (np.arange(count) % 3).astype(np.int32),
        random.random((count, 28, 28)).astype(np.float32) if masked else None,
    )  # fmt: skip


def test_entries_of_an_image():
    found = Detections(np.float32([[1, 2, 4.1, 6]]), np.float32([0.1]), np.int32([1]), np.ones((1, 28, 28), "f4"))
    (entry,) = results.to_results(found, 12, SIZE, CATEGORIES)
    assert entry.pop("segmentation") == found.encoded(SIZE)[0]
    assert entry == {"image_id": 12, "category_id": 7, "score": 0.1, "bbox": [1.0, 2.0, 3.1, 4.0]}
    assert json.loads(json.dumps(entry)) == entry  # plain numbers
    assert results.to_results(some(0), 12, SIZE, CATEGORIES) == []


@pytest.mark.parametrize("masked", [True, False])
def test_detections_come_back_from_a_file(tmp_path, masked):
    found = some(masked=masked)
    entries = results.to_results(found, 12, SIZE, CATEGORIES) + results.to_results(some(2, masked), 5, SIZE, CATEGORIES)
    write_results(tmp_path / "results.json", entries)
    read = read_results(tmp_path / "results.json")
    assert read == entries
    again = results.from_results(read, CATEGORIES)
    assert list(again) == [12, 5]
    assert again[12].boxes == pytest.approx(found.boxes, abs=1e-5)
    assert again[12].scores.tolist() == found.scores.tolist()
    assert again[12].labels.tolist() == found.labels.tolist()
    assert again[12].encoded(SIZE) == found.encoded(SIZE)
    assert {again[12].boxes.dtype, again[12].scores.dtype, again[12].labels.dtype} == {np.dtype("f4"), np.dtype("i4")}
    assert results.to_results(again[5], 5, SIZE, CATEGORIES)[0].keys() == entries[-1].keys()


def test_masks_without_boxes_and_unknown_categories():
    mask = {"size": [4, 5], "counts": [6, 2, 12]}
    entries = [{"image_id": 1, "category_id": number, "score": 1, "segmentation": mask} for number in (7, 8)]
    found = results.from_results(entries, CATEGORIES)[1]
    assert (found.boxes.tolist(), found.labels.tolist()) == ([[1, 2, 2, 4]], [1])
    assert results.from_results([], CATEGORIES) == {}


def test_the_best_come_first():
    found = some(5)
    best = found.above(np.sort(found.scores)[1])
    order = np.argsort(-found.scores)[:4]
    assert best.scores.tolist() == found.scores[order].tolist()
    assert (best.masks == found.masks[order]).all()
    assert (best.labels.tolist(), len(best)) == (found.labels[order].tolist(), 4)
    coded = Detections(found.boxes, found.scores, found.labels, rles=tuple(found.encoded(SIZE)))
    assert coded.above(0).encoded(SIZE) == found.above(0).encoded(SIZE)
    many = some(90)  # of equal scores those that were first stay first
    ties = Detections(many.boxes, np.float32([0.3, 0.7, 0.5] * 30), many.labels)
    assert (ties.above(0.7).boxes == many.boxes[1::3]).all()
