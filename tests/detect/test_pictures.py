"""Pictures of detections."""

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from gluon_attn.detect import pictures
from gluon_attn.detect.results import Detections

NAMES = ("cat", "Straße", "велосипед", "$x$", "a\nb")
GRAY = np.full((240, 360, 3), 120, np.uint8)


def detections(boxes, scores=None, labels=None, masks=True):
    count = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(count, 4),
        np.array([0.9] * count if scores is None else scores, np.float32),
        np.array([0] * count if labels is None else labels, np.int32),
        np.ones((count, 28, 28), np.float32) if masks else None,
    )


def test_a_detection_is_drawn():
    found = detections([[100, 80, 200, 180]])
    picture = pictures.draw(GRAY, found, NAMES, width=360)
    colour = np.array(pictures.colour_of(0))
    assert (picture[90, 100] == colour).all()  # the frame
    assert picture[130, 150] == pytest.approx(0.55 * 120 + 0.45 * colour, abs=1)  # the mask
    assert (picture[210:, :] == 120).all()
    label = picture[60:80, 100:140].reshape(-1, 3)
    assert (label == colour).all(1).mean() > 0.4  # the label, with letters in it
    assert (label == 0).all(1).any()
    assert (GRAY == 120).all()
    plain = pictures.draw(GRAY, detections([[100, 80, 200, 180]], masks=False), NAMES, width=360)
    assert (plain[100:178, 102:198] == 120).all()


def test_masks_of_a_file_are_drawn_alike():
    found = detections([[100.3, 80.2, 200.1, 180.7]], labels=[3])
    coded = Detections(found.boxes, found.scores, found.labels, rles=tuple(found.encoded(GRAY.shape[:2])))
    assert (pictures.draw(GRAY, found, NAMES, width=360) == pictures.draw(GRAY, coded, NAMES, width=360)).all()
    double = [pictures.draw(GRAY, one, NAMES, width=720) for one in (found, coded)]
    assert (double[0] != double[1]).any(2).mean() < 0.01


def test_those_of_a_low_score_are_left_out():
    found = detections([[100, 80, 200, 180]], scores=[0.3])
    assert (pictures.draw(GRAY, found, NAMES, width=360) == 120).all()
    assert (pictures.draw(GRAY, found, NAMES, score=0.3, width=360) != 120).any()


@pytest.mark.parametrize(
    ("size", "width", "wanted"),
    [
        ((64, 96), None, (320, 480)), ((427, 640), None, (427, 640)), ((1, 1), None, (320, 320)),
        ((800, 1333), 320, (192, 320)), ((64, 96), 240, (160, 240)), ((3, 900), 10, (1, 10)),
        ((2, 16000), None, (2, 16000)), ((80, 1), None, (2000, 25)),
    ],
)  # fmt: skip
def test_small_and_large_images(size, width, wanted):
    found = detections([[0, 0, size[1], size[0]], [-50, -50, 5000, 5000], [5, 5, 5, 5]], labels=[1, 2, 4])
    picture = pictures.draw(np.zeros((*size, 3), np.uint8), found, NAMES, width=width)
    assert picture.shape == (*wanted, 3)
    assert picture.any()


def test_boxes_outside_and_none():
    far = detections([[-30, -30, -10, -10], [9000, 9000, 9100, 9100]])
    assert pictures.draw(GRAY, far, NAMES).shape == (480, 720, 3)
    assert (pictures.draw(GRAY, detections([]), NAMES, width=360) == GRAY).all()


def test_labels_do_not_cover_each_other():
    frames = [
        (50.0, 100.0, 90.0, 200.0),
        (50.0, 100.0, 95.0, 200.0),
        (52.0, 98.0, 99.0, 198.0),
        (300.0, 2.0, 350.0, 9.0),
    ]
    places = pictures._places(["cat 0.90"] * 4, frames, 14, (240, 360))
    assert not any(pictures._overlap(one, other) for one, other in itertools.combinations(places, 2))
    assert all(place[0] >= 0 and place[1] >= 0 and place[2] <= 360 and place[3] <= 240 for place in places)


def test_colours_of_80_classes():
    """They differ, and black or white letters have a contrast of 4.5 on each."""
    colours = np.array([pictures.colour_of(label) for label in range(80)])
    apart = np.abs(colours[:, None] - colours[None]).sum(2) + 999 * np.eye(80, dtype=int)
    assert apart.min() >= 8
    assert apart.diagonal(1).min() > 100
    luminance = (colours / 255) ** 2.2 @ [0.2126, 0.7152, 0.0722]
    assert np.maximum(1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05).min() > 4.5


def test_a_file(tmp_path):
    pictures.save_png(GRAY, tmp_path / "x.png")
    assert (np.asarray(Image.open(tmp_path / "x.png")) == GRAY).all()
    assert (np.asarray(Image.open(io.BytesIO(pictures.png(GRAY)))) == GRAY).all()
