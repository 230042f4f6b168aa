"""COCO's figures: what pycocotools crashes on or silently misreads. Its own numbers are in tests/parity."""

import copy
import json
import logging
import random
import sys

import numpy as np
import pytest

from gluon_attn.data import rle
from gluon_attn.detect import figures
from gluon_attn.utils.errors import UserError

pytest.importorskip("pycocotools")

HEIGHT, WIDTH = 200, 220
CATEGORIES = [{"id": 3, "name": "cat"}, {"id": 7, "name": "dog"}, {"id": 90, "name": "zebra"}]


def rectangle(x, y, width, height):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y : y + height, x : x + width] = True
    return rle.from_mask(mask)


def data_set(images=4, first=0):
    """Each image has a small cat, a larger cat and a dog; no zebras. Annotations begin at number `first`."""
    annotations = []
    for image in range(images):
        for category, box in ((3, [5, 5, 20, 20]), (3, [40, 30, 60, 50]), (7, [120, 60, 99, 130])):
            box = [box[0] + image, *box[1:]] if category == 3 else box
            annotations.append({"image_id": 10 - image, "category_id": category, "bbox": box, "area": box[2] * box[3],
                                "iscrowd": 0, "segmentation": rectangle(*box)})  # fmt: skip
    for number, entry in enumerate(annotations, first):
        entry["id"] = number
    sizes = [{"id": 10 - image, "height": HEIGHT, "width": WIDTH} for image in range(images)]
    return {"images": sizes, "categories": CATEGORIES, "annotations": annotations}


def perfect(truth, score=0.9):
    keys = ("image_id", "category_id", "bbox", "segmentation")
    return [{**{key: entry[key] for key in keys}, "score": score} for entry in truth["annotations"]]


def worse(truth, seed=1):
    """Results with shifted boxes, equal scores and false ones."""
    state, found = random.Random(seed), []
    for entry in perfect(truth):
        for _ in range(3):
            x, y, width, height = entry["bbox"]
            box = [max(x + state.randint(-4, 4), 0), max(y + state.randint(-4, 4), 0), width, height]
            score, category = state.choice([0.2, 0.5, 0.8]), state.choice([3, 7])
            changed = {"bbox": box, "segmentation": rectangle(*box), "score": score, "category_id": category}
            found.append({**entry, **changed})
    return found


@pytest.mark.parametrize("first", [0, 1])
def test_perfect_results(first, capfd):
    """Also with an annotation 0, which pycocotools never matches."""
    truth = data_set(first=first)
    found = figures.evaluate(truth, perfect(truth))
    assert list(found) == ["bbox", "segm"]
    for kind in found.values():
        assert kind.values["mAP"] == kind.values["AR_100"] == kind.values["mAP_s"] == pytest.approx(1)
        assert kind.values["AR_1"] == pytest.approx(0.75)  # one of two cats
        assert kind.per_class == {"cat": pytest.approx(1), "dog": pytest.approx(1), "zebra": None}
        assert tuple(kind.values) == figures.NAMES
    json.dumps([kind.values for kind in found.values()])  # plain numbers
    assert capfd.readouterr() == ("", "")


def test_numbers_that_occur_twice():
    truth = data_set()
    for entry in truth["annotations"]:
        entry["id"] = 5
    assert figures.evaluate(truth, perfect(truth))["bbox"].values["mAP"] == pytest.approx(1)


def test_what_there_is_none_of_is_none():
    truth = data_set()
    truth["annotations"] = [entry for entry in truth["annotations"] if entry["area"] > 96**2]
    found = figures.evaluate(truth, perfect(truth))["segm"]
    assert (found.values["mAP_s"], found.values["mAP_m"], found.values["AR_s"]) == (None, None, None)
    assert found.values["mAP_l"] == found.values["mAP"] == pytest.approx(1)
    assert found.per_class == {"cat": None, "dog": pytest.approx(1), "zebra": None}
    empty = figures.evaluate({**truth, "annotations": []}, perfect(truth))
    assert set(empty["bbox"].values.values()) == {None}
    assert set(figures.evaluate({**truth, "images": [], "annotations": []}, [])["bbox"].values.values()) == {None}


def test_no_results_are_zero():
    found = figures.evaluate(data_set(), [])
    assert {value for kind in found.values() for value in kind.values.values()} == {0.0}
    assert list(figures.evaluate(data_set(), [], ["bbox"])) == ["bbox"]


def test_nothing_that_is_given_changes():
    truth = data_set()
    truth["annotations"][0]["segmentation"] = [[5, 5, 25, 5, 25, 25, 5, 25]]
    results = worse(truth)
    before = copy.deepcopy((truth, results))
    figures.evaluate(truth, results)
    figures.measure(truth, results, "segm")
    assert (truth, results) == before


def test_the_order_of_images_is_no_matter():
    """Results of two processes, joined either way; within an image the order of equal scores stays."""
    truth, results = data_set(), worse(data_set())
    parts = [[entry for entry in results if entry["image_id"] % 2 == rest] for rest in (0, 1)]
    one, two = (figures.evaluate(truth, first + second) for first, second in (parts, parts[::-1]))
    for kind in ("bbox", "segm"):
        assert 0 < one[kind].values["mAP"] < 1
        assert one[kind].values == two[kind].values
        assert (one[kind].precision == two[kind].precision).all()


def test_masks_have_their_own_area():
    """A box beside a mask gives pycocotools the area: a false mask of a large area counts for large objects only."""
    truth = data_set()
    extra = {"image_id": 10, "category_id": 3, "score": 0.95, "segmentation": rectangle(150, 5, 20, 20)}
    masks = [{key: value for key, value in entry.items() if key != "bbox"} for entry in perfect(truth)]
    wanted = figures.evaluate(truth, [*masks, extra])
    found = figures.evaluate(truth, [*perfect(truth), {**extra, "bbox": [0, 0, 190, 190]}])
    assert list(wanted) == ["segm"]
    assert found["segm"].values == wanted["segm"].values
    assert found["segm"].values["mAP_s"] < 1
    assert found["bbox"].values["mAP_s"] == pytest.approx(1)


@pytest.mark.parametrize("images", [85, 86, 170])
def test_any_number_of_masks(images):
    """85 images have 255 of them, after which pycocotools' own count ends."""
    truth = data_set(images)
    assert figures.evaluate(truth, perfect(truth))["segm"].values["mAP"] == pytest.approx(1)


def test_an_object_without_a_mask_is_left_out_of_the_masks():
    """What is found there neither counts for nor against the masks; its box does."""
    truth, results = data_set(), perfect(data_set())
    for nothing in (None, []):
        truth["annotations"][0]["segmentation"] = nothing
        for given in (results, results[1:]):
            found = figures.evaluate(truth, given)
            assert found["segm"].values["mAP"] == found["segm"].values["AR_s"] == pytest.approx(1)
    assert found["bbox"].values["AR_s"] == pytest.approx(0.75)


def test_results_of_absent_classes_are_told(caplog):
    truth = data_set()
    strange = [{**entry, "category_id": 4} for entry in perfect(truth)[:2]]
    with caplog.at_level(logging.WARNING, "gluon_attn"):
        found = figures.evaluate(truth, [*strange, *perfect(truth)])
    assert found["bbox"].values["mAP"] == pytest.approx(1)
    assert caplog.messages == ["2 of 14 results do not count: the data set has no category 4"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"score": float("nan")}, "entry 2 (the first is 0): score must be finite, got nan"),
        ({"bbox": [0, 0, float("nan"), 1]}, "entry 2 (the first is 0): bbox must be finite"),
        ({"image_id": 77}, "entry 2 (the first is 0): the data set has no image 77"),
        ({"segmentation": rle.from_mask(np.ones((WIDTH, HEIGHT)))}, "its mask has 220 x 200 pixels, image 10 has 200"),
    ],
)
def test_what_pycocotools_would_misread_is_refused(changed, words):
    truth = data_set()
    results = perfect(truth)
    results[2] = {**results[2], "image_id": 10, **changed}
    with pytest.raises(UserError) as caught:
        figures.evaluate(truth, results)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_results_lack_cannot_be_asked_for():
    truth = data_set()
    boxes, masks = ([{key: value for key, value in entry.items() if key != left} for entry in perfect(truth)]
                    for left in ("segmentation", "bbox"))  # fmt: skip
    assert list(figures.evaluate(truth, boxes)) == ["bbox"]
    with pytest.raises(UserError, match=r"entry 0 .*has no segmentation"):
        figures.evaluate(truth, boxes, ["bbox", "segm"])
    with pytest.raises(UserError, match="neither all a bbox nor all a segmentation"):
        figures.evaluate(truth, boxes + masks)


def test_a_missing_library_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocotools.cocoeval", None)
    with pytest.raises(UserError, match=r"pip install 'gluon-attn\[coco\]'"):
        figures.evaluate(data_set(), [])
