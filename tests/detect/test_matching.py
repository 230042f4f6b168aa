"""`match_image` gives what pycocotools' own `evaluateImg` gives, cell by cell."""

import contextlib
import io

import numpy as np
import pytest

pytest.importorskip("pycocotools", reason="needs pycocotools")

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from gluon_attn.detect.matching import match_image

IMAGES, CLASSES = 6, 3


def boxes(random, count):
    """On a coarse grid, so that many overlap alike, of sizes around the borders of the areas."""
    corners = random.integers(0, 4, (count, 2)) * 20.0
    return np.concatenate([corners, random.choice([10.0, 32.0, 40.0, 96.0, 120.0], (count, 2))], 1).tolist()


def data_set(annotations):
    found = COCO()
    found.dataset = {
        "images": [{"id": i, "height": 240, "width": 240} for i in range(1, IMAGES + 1)],
        "categories": [{"id": i, "name": str(i)} for i in range(1, CLASSES + 1)],
        "annotations": annotations,
    }
    found.createIndex()
    return found


def entries(random, count, first, **others):
    found = []
    for number, box in enumerate(boxes(random, count), first):
        places = {"image_id": int(random.integers(1, IMAGES + 1)), "category_id": int(random.integers(1, CLASSES + 1))}
        drawn = {key: draw() for key, draw in others.items()}
        found.append({"id": number, **places, "bbox": box, "area": box[2] * box[3], "iscrowd": 0, **drawn})
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("first", [1, 0])  # annotation 0 never matches there
def test_every_cell_is_that_of_pycocotools(seed, first):
    random = np.random.default_rng(seed)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = data_set(entries(random, 40, first, iscrowd=lambda: int(random.random() < 0.2)))
        results = data_set(entries(random, 120, 1, score=lambda: float(random.integers(0, 8)) / 8))
        run = COCOeval(truth, results, "bbox")
        run.params.maxDets = [1, 3, 5]
        run.evaluate()
    cells = matched = 0
    for category in run.params.catIds:
        for area in run.params.areaRng:
            for image in run.params.imgIds:
                wanted, ours = run.evaluateImg(image, category, area, 5), match_image(run, image, category, area, 5)
                assert (wanted is None) == (ours is None)
                if wanted is None:
                    continue
                cells += 1
                matched += int((ours["dtMatches"] > 0).sum())
                for key, value in ours.items():
                    np.testing.assert_array_equal(np.asarray(wanted[key]).astype(float), np.asarray(value, float), key)
    assert cells > 50
    assert matched > 50
