"""Detection agrees with torchvision and pycocotools, case by case of a folder (`detection_golden.py`)."""

import json
from pathlib import Path

import detection_coco
import detection_units
import numpy as np
import pytest
from detection_golden import DetectionCase, copy_small, read_index

CHECKS = {**detection_units.CHECKS, **detection_coco.CHECKS}
#: cases of parts that the library does not have yet, by id or what it begins with
PENDING = (
    "infer_", "train_", "unit_anchors", "unit_boxes", "unit_iou", "unit_losses", "unit_mask_target", "unit_match",
    "unit_nms", "unit_pyramid", "unit_roialign",
)  # fmt: skip
CASES = read_index()


def check_of(case):
    """The check whose name fits a case's id best, None if none does."""
    return CHECKS[max(names, key=len)] if (names := [name for name in CHECKS if case.id.startswith(name)]) else None


@pytest.mark.parametrize("case", [case for case in CASES if not case.id.startswith(PENDING)], ids=repr)
def test_a_golden_case(case):
    check = check_of(case)
    assert check is not None, f"{case}: nothing here knows how to check it"
    check(case)


def test_nothing_that_is_checked_is_pending():
    assert not [case.id for case in CASES if case.id.startswith(PENDING) and check_of(case)]


def case_of(**entry):
    return DetectionCase({"id": "x", "config": {}, "seed": 2020, **entry}, Path())


def test_the_image_rule_by_hand():
    state = np.random.RandomState(2020 + 1 + 5000)
    coarse, fine = state.uniform(size=(3, 2, 1)), state.uniform(size=(3, 17, 9))
    config = {"image_index": [5], "image_shapes": [[17, 9]]}
    with pytest.raises(AssertionError, match="the image rule fails"):
        case_of(config=config, image_crc32=[1]).images()
    case = case_of(config=config, image_crc32=[3911247711])
    (image,) = case.images()
    assert image[2, 16, 8] == np.float32(0.75 * coarse[2, 1, 0] + 0.25 * fine[2, 16, 8])
    assert image[1, 15, 0] == np.float32(0.75 * coarse[1, 0, 0] + 0.25 * fine[1, 15, 0])


def test_whole_numbers_and_masks():
    case = case_of(arrays={"match": {"dtype": "int16", "shape": [3], "step": 1}})
    case._data = {"match": np.array([1, -1, 2], "int16"), "bits": np.packbits([1, 0, 0, 1, 1, 1])}
    case.agrees("match", [1, -1, 2])
    with pytest.raises(AssertionError, match="match"):
        case.agrees("match", [1, -1, 3])
    assert case.masks("bits", (2, 3)).tolist() == [[1, 0, 0], [1, 1, 1]]


def test_small_cases_are_copied(tmp_path):
    source, target = tmp_path / "all", tmp_path / "some"
    source.mkdir()
    cases = [{"id": name, "config": {}, "file": f"{name}.npz"} for name in ("unit_a", "infer_b")]
    (source / "index.json").write_text(json.dumps({"format": 1, "cases": cases}))
    (source / "unit_a.npz").write_bytes(b"1")
    (source / "infer_b.npz").write_bytes(bytes(300_000))
    (source / "coco_gt.json").write_text("{}")
    copy_small(source, target)
    assert [case.id for case in read_index(target)] == ["unit_a"]
    assert sorted(path.name for path in target.iterdir()) == ["coco_gt.json", "index.json", "unit_a.npz"]
