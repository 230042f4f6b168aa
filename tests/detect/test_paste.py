"""Masks of a box in the image."""

import numpy as np
import pytest

from gluon_attn.data import rle
from gluon_attn.detect import paste

ONES = np.ones((28, 28), np.float32)


def pasted(mask, box, size):
    (image,) = paste.paste_all(mask[None], box[None], size)
    return image


def bits_of(mask, box, size):
    return pasted(mask, box, size) > paste.THRESHOLD


def plainly(mask, box, size):
    """The rule pixel by pixel, in float64."""
    side = len(mask) + 2
    padded = np.pad(mask.astype(np.float64), 1)
    centre, half = (box[2:] + box[:2]) / 2, (box[2:] - box[:2]) / 2 * (side / len(mask))
    (left, top), (right, bottom) = np.trunc(centre - half).astype(int), np.trunc(centre + half).astype(int)
    wide, tall = max(right - left + 1, 1), max(bottom - top + 1, 1)
    image = np.zeros(size)
    for y in range(max(top, 0), min(top + tall, size[0])):
        for x in range(max(left, 0), min(left + wide, size[1])):
            v, u = (max((i + 0.5) * side / extent - 0.5, 0) for i, extent in ((y - top, tall), (x - left, wide)))
            i, j = int(v), int(u)
            below, right_of = min(i + 1, side - 1), min(j + 1, side - 1)
            upper = padded[i, j] * (1 - u + j) + padded[i, right_of] * (u - j)
            lower = padded[below, j] * (1 - u + j) + padded[below, right_of] * (u - j)
            image[y, x] = upper * (1 - v + i) + lower * (v - i)
    return image


@pytest.mark.parametrize(
    "box",
    [
        [3, 4, 30, 20], [3.7, 4.2, 29.1, 20.9], [-9, -7, 12, 15], [20, 15, 70, 60], [5, 5, 5, 5], [10, 3, 10.4, 25],
        [-30, -30, 80, 60], [38.5, 28.5, 40, 30],
    ],
)  # fmt: skip
def test_the_rule_pixel_by_pixel(box):
    mask = np.random.default_rng(1).random((28, 28)).astype(np.float32)
    box, size = np.array(box, np.float32), (30, 40)
    assert pasted(mask, box, size) == pytest.approx(plainly(mask, box, size), abs=2e-5)


def test_by_hand():
    bits = bits_of(ONES, np.array([4, 4, 32, 32], np.float32), (40, 40))
    assert bits[4:32, 4:32].all()  # 30 / 28 wider: from 3 to 33, thirty-one pixels for thirty of the mask
    assert bits.sum() == 29 * 29
    assert not bits_of(ONES / 2, np.array([4, 4, 32, 32], np.float32), (40, 40)).any()  # above one half


@pytest.mark.parametrize(
    "box",
    [
        [100, 100, 120, 120], [-50, -50, -20, -20], [0, 100, 40, 120], [np.nan] * 4, [np.inf] * 4, [30, 20, 3, 4],
        [-1e30, -1e30, -1e29, -1e29],
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_no_box_in_the_image_leaves_nothing(box):
    box = np.array(box, np.float32)
    assert not pasted(ONES, box, (30, 40))[5:].any()
    assert rle.area(paste.encode_all(ONES[None], box[None], (30, 40))[0]) <= 1


def test_a_box_around_everything():
    assert bits_of(ONES, np.array([-1e30, -1e30, 1e30, 1e30], np.float32), (30, 40)).all()


def test_codes_are_those_of_the_pasted_pixels():
    random, size = np.random.default_rng(2), (31, 47)
    corners = random.uniform(-15, 50, (200, 2))
    boxes = np.concatenate([corners, corners + random.uniform(0, 40, (200, 2))], 1).astype(np.float32)
    masks = random.random((200, 28, 28)).astype(np.float32)
    codes = paste.encode_all(masks, boxes, size)
    for mask, box, code in zip(masks, boxes, codes, strict=True):
        assert code == rle.from_mask(bits_of(mask, box, size))


def test_only_the_box_is_computed():
    """The image would take 1.6 GB."""
    code = paste.encode_all(ONES[None], np.array([[19000, 19000, 19010, 19010]], np.float32), (20000, 20000))[0]
    assert rle.bounds(code) == (18999, 18999, 12, 12)
