"""Bad data in COCO's format: an entry is named, counted and left out; a file is one line, no traceback."""

import json
import logging

import numpy as np
import pytest
from coco_files import content, entry, polygon, write

from gluon_attn.data.coco import open_coco
from gluon_attn.data.masks import to_rle
from gluon_attn.utils.errors import UserError

BAD = 777  # id of the bad annotation, which belongs to image 11


def bad(**fields):
    """An annotation of image 11 with some fields replaced; those that are Ellipsis are taken away."""
    whole = {**entry(BAD, 11), **fields}
    return {key: value for key, value in whole.items() if value is not ...}


def rle(height, width, **other):
    mask = np.zeros((height, width), np.uint8)
    mask[5:9, 5:9] = 1
    return {**to_rle(mask), **other}


#: name -> (bad annotation, its reason)
LEFT_OUT = {
    "box outside": (bad(bbox=[90, 5, 20, 10]), "bbox lies outside its image"),
    "box left of it": (bad(bbox=[-30, 5, 30, 10]), "bbox lies outside its image"),
    "width 0": (bad(bbox=[10, 10, 0, 5]), "bbox has no width or no height"),
    "negative height": (bad(bbox=[10, 10, 5, -5]), "bbox has no width or no height"),
    "NaN": (bad(bbox=[10, float("nan"), 5, 5]), "bbox has a number that is not finite"),
    "infinite": (bad(bbox=[10, 10, float("inf"), 5]), "bbox has a number that is not finite"),
    "huge integer": (bad(bbox=[10, 10, 10**400, 5]), "bbox has a number that is not finite"),
    "box of three numbers": (bad(bbox=[10, 10, 5]), "bbox is missing or not four numbers"),
    "box as text": (bad(bbox=["10", "10", "5", "5"]), "bbox is missing or not four numbers"),
    "no box": (bad(bbox=...), "bbox is missing or not four numbers"),
    "empty polygon": (bad(segmentation=[[]]), "segmentation has no polygon of three or more points"),
    "two points": (bad(segmentation=[[1, 1, 9, 9]]), "segmentation has no polygon of three or more points"),
    "odd coordinates": (bad(segmentation=[[1, 1, 9, 9, 1, 9, 3]]), "a polygon is no list of x and y"),
    "NaN in a polygon": (bad(segmentation=[[1, 1, 9, float("nan"), 1, 9]]), "a polygon is no list of x and y"),
    "text in a polygon": (bad(segmentation=[["1", 1, 9, 9, 1, 9]]), "a polygon is no list of x and y"),
    "polygon outside": (bad(segmentation=[polygon(100, 10, 20, 5)]), "segmentation lies outside its image"),
    "polygon far away": (bad(segmentation=[polygon(5, 5, 10**9, 5)]), "segmentation reaches far outside its image"),
    "no segmentation": (bad(segmentation=...), "segmentation is missing or empty"),
    "segmentation null": (bad(segmentation=None), "segmentation is missing or empty"),
    "segmentation as text": (bad(segmentation="all"), "segmentation is neither polygons nor run lengths"),
    "flat polygon": (bad(segmentation=polygon(5, 5, 9, 9)), "segmentation is neither polygons nor run lengths"),
    "RLE of another image": (bad(segmentation=rle(90, 60)), "segmentation has run lengths that are none or do not fit"),
    "RLE too short": (bad(segmentation=rle(60, 90, counts=[7, 9])), "segmentation has run lengths that are none or"),
    "RLE with text": (bad(segmentation=rle(60, 90, counts="x?")), "segmentation has run lengths that are none or"),
    "RLE without counts": (bad(segmentation={"size": [60, 90]}), "segmentation has run lengths that are none or"),
    "RLE of nothing": (bad(segmentation=rle(60, 90, counts=[5400])), "segmentation is missing or empty"),
    "unknown category": (bad(category_id=8), "its category is not among the categories of the file"),
    "category as text": (bad(category_id="3"), "its category is not among the categories of the file"),
    "category as a list": (bad(category_id=[3]), "its category is not among the categories of the file"),
    "orphan": (bad(image_id=99), "its image is not among the images"),
    "image id as a list": (bad(image_id=[11]), "its image is not among the images"),
    "no image id": (bad(image_id=...), "its image is not among the images"),
    "iscrowd as text": (bad(iscrowd="no"), "iscrowd is neither 0 nor 1"),
    "iscrowd 2": (bad(iscrowd=2), "iscrowd is neither 0 nor 1"),
    "a list": ([1, 2, 3], "it is no mapping"),
    "null": (None, "it is no mapping"),
}
#: name -> (odd annotation, what is told of it)
CHANGED = {
    "box partly outside": (bad(bbox=[80, 50, 30, 30]), "bbox was clipped to its image"),
    "no area": (bad(area=...), "area is missing or wrong and was computed"),
    "area as text": (bad(area="large"), "area is missing or wrong and was computed"),
    "area of a huge integer": (bad(area=10**400), "area is missing or wrong and was computed"),
    "area NaN": (bad(area=float("nan")), "area is missing or wrong and was computed"),
    "no iscrowd": (bad(iscrowd=...), "iscrowd is missing and taken as 0"),
    "one of two polygons empty": (bad(segmentation=[[], polygon(10, 12, 20, 16)]), "a polygon of fewer than three"),
    "an id twice": ({**bad(), "id": 10}, "an id was there twice and was replaced"),
    "id as text": ({**bad(), "id": "first"}, "an id was missing or no whole number and was replaced"),
}


def read(root, data):
    """Write images and JSON apart, as the images are drawn from whole annotations; read the set."""
    path, folder = write(root)
    path.write_text(json.dumps(data))
    return open_coco(path, folder)


def with_annotation(one):
    data = content()
    data["annotations"].insert(3, one)
    return data


@pytest.mark.parametrize("case", LEFT_OUT)
def test_an_annotation_is_named_counted_and_left_out(case, tmp_path, caplog):
    annotation, reason = LEFT_OUT[case]
    with caplog.at_level(logging.WARNING):
        found = read(tmp_path, with_annotation(annotation))
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"{tmp_path}/train.json: 1 annotation left out: {reason}")
    assert ("annotation 777 of image " if isinstance(annotation, dict) else "number 3 of annotations") in line
    assert list(found.skipped.values()) == [1]
    whole = open_coco(*write(tmp_path))
    assert len(found) == len(whole) == 6
    for number in range(6):
        np.testing.assert_array_equal(found.objects(number).boxes, whole.objects(number).boxes)
    assert len(found.ground_truth()["annotations"]) == 10


@pytest.mark.parametrize("case", CHANGED)
def test_an_annotation_is_kept_and_what_is_odd_is_told(case, tmp_path, caplog):
    annotation, change = CHANGED[case]
    with caplog.at_level(logging.WARNING):
        found = read(tmp_path, with_annotation(annotation))
    (line,) = [record.getMessage() for record in caplog.records]
    assert f": 1 times {change}" in line
    assert f"annotation {annotation['id']} of image 11" in line
    assert found.skipped == {}
    objects = found.objects(2)
    assert len(objects) == 3
    assert np.isfinite(objects.boxes).all()
    assert (objects.boxes[:, 2:] > objects.boxes[:, :2]).all()
    assert (objects.boxes[:, 2:] <= [90, 60]).all()
    assert objects.area.min() > 0
    ids = [one["id"] for one in found.ground_truth()["annotations"]]
    assert ids == list(range(1, 12))


def test_a_clipped_box_and_a_computed_area(tmp_path):
    found = read(tmp_path, with_annotation(bad(bbox=[80, 50, 30, 30], area=...))).objects(2)
    place = found.area.tolist().index(20 * 16)  # that of the polygon
    np.testing.assert_array_equal(found.boxes[place], [80, 50, 90, 60])


def test_boxes_outside_by_rounding_are_clipped_without_a_word(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        found = read(tmp_path, with_annotation(bad(bbox=[80, 50, 10.01, 10.2])))
    assert caplog.text == ""
    assert found.objects(2).boxes[:, 2:].max(axis=0).tolist() == [90, 60]


def test_the_same_annotation_twice(tmp_path):
    found = read(tmp_path, with_annotation(content()["annotations"][0]))
    assert found.skipped == {"annotation: it is there twice": 1}
    assert len(found.objects(0)) == 2


def test_an_image_that_loses_all_annotations_stays(tmp_path, caplog):
    data = content()
    for one in data["annotations"]:
        if one["image_id"] == 8:
            one["bbox"][2] = 0
    found = read(tmp_path, data)
    assert len(found) == 6
    assert len(found.objects(1)) == 0
    assert found.skipped == {"annotation: bbox has no width or no height": 2}
    assert "1 times an image lost all of its annotations and has no objects (image 8)" in caplog.text


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ({"id": 5, "file_name": "other.jpg", "height": 5, "width": 5}, "its id is that of an earlier image"),
        ({"file_name": "other.jpg", "height": 5, "width": 5}, "its id is missing or no whole number"),
        ({"id": "6", "file_name": "other.jpg", "height": 5, "width": 5}, "its id is missing or no whole number"),
        ({"id": 6, "height": 5, "width": 5}, "file_name is missing or no text"),
        ({"id": 6, "file_name": 7, "height": 5, "width": 5}, "file_name is missing or no text"),
        ({"id": 6, "file_name": "other.jpg", "height": 5}, "height and width are missing or no whole numbers above 0"),
        ({"id": 6, "file_name": "a.jpg", "height": 0, "width": 5}, "height and width are missing or no whole numbers"),
        ({"id": 6, "file_name": "a.jpg", "height": "5", "width": 5}, "height and width are missing or no whole"),
        ({"id": 6, "file_name": "a.jpg", "height": 10**5, "width": 10**5}, "it has more than 178,956,970 pixels"),
        (["other.jpg"], "it is no mapping"),
    ],
)
def test_an_image_entry_is_named_counted_and_left_out(image, reason, tmp_path, caplog):
    data = content()
    data["images"].append(image)
    found = read(tmp_path, data)
    assert len(found) == 6
    assert f"1 image left out: {reason}" in caplog.text
    assert sum(found.skipped.values()) == 1


def test_gaps_and_zeros_in_ids_are_no_mistakes(tmp_path, caplog):
    data = content()
    for one in data["images"] + data["annotations"]:
        key = "image_id" if "bbox" in one else "id"
        one[key] = {5: 0, 8: 10**12}.get(one[key], one[key])
    data["annotations"][0]["id"] = 0
    data["categories"][0]["id"] = 0
    for one in data["annotations"]:
        one["category_id"] = {3: 0}.get(one["category_id"], one["category_id"])
    found = read(tmp_path, data)
    assert caplog.text == ""
    assert found.image_ids[:2].tolist() == [0, 10**12]
    assert found.category_ids == (0, 7, 90)
    assert found.objects(0).ids.tolist() == [1, 2]


def test_many_of_a_kind_are_one_line(tmp_path, caplog):
    data = content()
    data["annotations"] += [entry(100 + k, 11, bbox=[1, 1, 0, 1]) for k in range(50)]
    read(tmp_path, data)
    assert len(caplog.records) == 1
    assert "50 annotations left out" in caplog.text
    assert caplog.text.count("annotation 10") == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (lambda data: json.dumps(data)[:-400], "is not valid JSON"),
        (lambda data: "", "is not valid JSON"),
        (lambda data: "[" * 100_000, "is not valid JSON"),
        (lambda data: json.dumps([data]), "is not in COCO's format: it is no mapping with images, annotations"),
        (lambda data: json.dumps({**data, "images": {}}), "is not in COCO's format: \"images\" is no list"),
        (lambda data: json.dumps({"images": [], "categories": []}), "\"annotations\" is missing"),
        (lambda data: json.dumps({**data, "annotations": []}), "has nothing to learn from or evaluate with in its ann"),
        (lambda data: json.dumps({**data, "images": []}), "has nothing to learn from or evaluate with in its images"),
        (lambda data: json.dumps({**data, "images": [1, 2]}), "all 2 of its images are wrong"),
        (lambda data: json.dumps({**data, "categories": []}), "\"categories\" is no list, or empty"),
        (lambda data: json.dumps({**data, "categories": ["box"]}), "an entry of \"categories\" is no mapping"),
        (lambda data: json.dumps({**data, "categories": [{"id": 3, "name": ["box"]}]}), "the name of category 3 is no"),
        (lambda data: json.dumps({**data, "categories": [{"id": 3, "name": "a"}, {"id": 3, "name": "b"}]}),
         "category 3 is there twice, as 'a' and 'b'"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_line(text, reason, tmp_path):
    path, folder = write(tmp_path)
    path.write_text(text(content()))
    with pytest.raises(UserError) as error:
        open_coco(path, folder)
    message = str(error.value)
    assert reason in message
    assert str(path) in message
    assert "\n" not in message
    assert len(message) < 600


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*none.json: No such file"):
        open_coco(tmp_path / "none.json", tmp_path)
