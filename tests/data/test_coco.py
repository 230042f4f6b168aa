"""Data sets in COCO's format: reading, the layout of the official folders, and the ground truth for pycocotools."""

import json
import logging

import cv2
import numpy as np
import pytest
from coco_files import content, entry, write

from gluon_attn.data.coco import open_coco, open_coco_folder
from gluon_attn.data.image_notes import BadImage
from gluon_attn.data.masks import to_rle
from gluon_attn.utils.errors import UserError


def test_a_whole_set_is_read_without_a_word(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        found = open_coco(*write(tmp_path))
    assert caplog.text == ""
    assert found.skipped == {}
    assert found.class_names == ("box", "wedge", "rare")
    assert found.category_ids == (3, 7, 90)
    assert found.image_ids.tolist() == [5, 8, 11, 14, 17, 20]
    assert len(found) == 6
    assert found.sizes[1].tolist() == [80, 60]
    assert found.pixels(1).shape == (80, 60, 3)
    assert found.pixels(1).dtype == np.uint8


def test_objects(tmp_path):
    found = open_coco(*write(tmp_path)).objects(0)
    np.testing.assert_array_equal(found.boxes, [[5, 8, 29, 26], [20, 14, 44, 32]])
    assert found.boxes.dtype == np.float32
    assert found.labels.tolist() == [0, 1]
    assert found.area.tolist() == [24 * 18, 12 * 18]
    assert not found.crowd.any()
    assert found.ids.tolist() == [1, 2]
    assert found.size == (60, 80)
    assert found.rasterized(0).sum() == 24 * 18


def test_an_image_without_annotations_has_no_objects(tmp_path):
    found = open_coco(*write(tmp_path))
    assert len(found.objects(5)) == 0
    assert found.with_objects().tolist() == [0, 1, 2, 3, 4]


def test_pixels_are_red_green_blue(tmp_path):
    path, folder = write(tmp_path)
    found = open_coco(path, folder)
    cv2.imwrite(str(folder / "0000.jpg"), np.full((60, 80, 3), (200, 10, 10), np.uint8))  # blue in OpenCV's order
    assert found.pixels(0)[30, 40].argmax() == 2


def test_classes_come_by_ascending_ids(tmp_path):
    data = content()
    data["categories"].reverse()
    assert open_coco(*write(tmp_path, data)).category_ids == (3, 7, 90)


def test_run_lengths_as_list_and_as_text(tmp_path):
    data = content()
    mask = np.zeros((60, 80), np.uint8)
    mask[10:20, 5:25] = 1
    data["annotations"] = [entry(1, 5, iscrowd=1, segmentation=to_rle(mask)), entry(2, 5)]
    path, folder = write(tmp_path, {**data, "annotations": []})
    path.write_text(json.dumps(data))
    found = open_coco(path, folder).objects(0)
    assert found.crowd.tolist() == [True, False]
    np.testing.assert_array_equal(found.rasterized(0), mask)
    coco = pytest.importorskip("pycocotools.mask")
    text = coco.encode(np.asfortranarray(mask))["counts"].decode()
    data["annotations"][0]["segmentation"] = {"size": [60, 80], "counts": text}
    path.write_text(json.dumps(data))
    np.testing.assert_array_equal(open_coco(path, folder).objects(0).rasterized(0), mask)


def test_a_set_with_boxes_alone(tmp_path):
    data = content()
    path, folder = write(tmp_path, data)
    for one in data["annotations"]:
        one["segmentation"] = []
    path.write_text(json.dumps(data))
    found = open_coco(path, folder, masks=False)
    assert len(found.objects(0)) == 2
    assert found.objects(0).segments == (None, None)
    assert "segmentation" not in found.ground_truth()["annotations"][0]
    with pytest.raises(UserError, match=r"train.json has nothing .*all 10 of its annotations .*faster_rcnn"):
        open_coco(path, folder)


def test_subset(tmp_path):
    whole = open_coco(*write(tmp_path))
    some = whole.subset([3, 1])
    assert some.image_ids.tolist() == [14, 8]
    np.testing.assert_array_equal(some.objects(0).boxes, whole.objects(3).boxes)
    np.testing.assert_array_equal(some.pixels(1), whole.pixels(1))
    truth = some.ground_truth()
    assert [image["id"] for image in truth["images"]] == [14, 8]
    assert {one["image_id"] for one in truth["annotations"]} == {14, 8}


def test_ground_truth(tmp_path):
    data = content()
    data["annotations"][0]["id"] = 0
    found = open_coco(*write(tmp_path, data))
    truth = found.ground_truth()
    assert json.loads(json.dumps(truth)) == truth
    assert [one["id"] for one in truth["annotations"]] == list(range(1, 11))
    kept = ("image_id", "category_id", "bbox", "area", "iscrowd", "segmentation")
    assert [{key: one[key] for key in kept} for one in truth["annotations"]] == [
        {key: one[key] for key in kept} for one in data["annotations"]
    ]
    assert [one["id"] for one in truth["categories"]] == [3, 7, 90]
    assert truth["annotations"][0]["id"] == found.objects(0).ids[0]


def test_pycocotools_finds_every_object_of_the_ground_truth(tmp_path):
    """Also the one whose id is 0 in the file."""
    data = content()
    data["annotations"][0]["id"] = 0
    truth = open_coco(*write(tmp_path, data)).ground_truth()
    coco = pytest.importorskip("pycocotools.coco").COCO()
    coco.dataset = truth
    coco.createIndex()
    results = [
        {"image_id": one["image_id"], "category_id": one["category_id"], "bbox": one["bbox"], "score": 1.0}
        for one in truth["annotations"]
    ]
    evaluation = pytest.importorskip("pycocotools.cocoeval").COCOeval(coco, coco.loadRes(results), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)


def test_the_official_layout(tmp_path):
    for part in ("train", "val"):
        path, _ = write(tmp_path, name=f"{part}2017")
        target = tmp_path / "annotations" / f"instances_{part}2017.json"
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    train, val = open_coco_folder(tmp_path)
    assert len(train) == len(val) == 6
    assert val.folder.name == "val2017"
    (tmp_path / "annotations/instances_val2017.json").unlink()
    with pytest.raises(UserError, match=r"has no annotations/instances_val2017.json: name .*option data_dir"):
        open_coco_folder(tmp_path)


def test_a_folder_without_the_images(tmp_path):
    path, _ = write(tmp_path)
    with pytest.raises(UserError, match=r"there is no folder .*elsewhere"):
        open_coco(path, tmp_path / "elsewhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"empty does not hold the images of .*train.json, such as 0000.jpg"):
        open_coco(path, tmp_path / "empty")


def test_test_images_have_the_classes_of_the_training_images(tmp_path):
    train = open_coco(*write(tmp_path))
    data = content()
    data["categories"] = data["categories"][:2]
    val = open_coco(*write(tmp_path, data, "val"), like=train)
    assert val.category_ids == (3, 7, 90)
    data["categories"][1]["name"] = "other"
    with pytest.raises(UserError, match=r"val.json and .*train.json have other classes: category 7 is 'other' in the"):
        open_coco(*write(tmp_path, data, "val"), like=train)


def test_classes_of_one_name_are_told_apart(tmp_path):
    data = content()
    data["categories"][2]["name"] = "box"
    found = open_coco(*write(tmp_path, data))
    assert found.class_names == ("box (3)", "wedge", "box (90)")


def test_an_image_of_another_size(tmp_path):
    path, folder = write(tmp_path)
    cv2.imwrite(str(folder / "0000.jpg"), np.zeros((30, 40, 3), np.uint8))
    with pytest.raises(BadImage, match=r"it has 40 x 30 pixels, but train.json says 80 x 60$"):
        open_coco(path, folder).pixels(0)
    cv2.imwrite(str(folder / "0000.jpg"), np.zeros((80, 60, 3), np.uint8))
    with pytest.raises(BadImage, match=r"train\.json says 80 x 60: is it turned by its EXIF data\?"):
        open_coco(path, folder).pixels(0)
