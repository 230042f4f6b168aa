"""The two crops."""

import functools
import math
import tracemalloc

import cv2
import numpy as np
import pytest

from gluon_attn.data.crops import center_crop, random_resized_crop


@pytest.fixture
def photo():
    """Red rises to the right, green downwards: a pixel tells where it comes from."""
    right, down = np.meshgrid(np.arange(200), np.arange(120))
    return np.stack([right, down, np.zeros_like(right)], axis=2).astype(np.uint8)


def rng(seed=3):
    return np.random.default_rng(seed)


def corners(crop):
    """(left, top, right, bottom) in the photo, to within a pixel or two of scaling."""
    return crop[:, 0, 0].mean(), crop[0, :, 1].mean(), crop[:, -1, 0].mean(), crop[-1, :, 1].mean()


def test_random_crops_keep_to_area_and_ratio(photo):
    draw, shares, ratios = rng(), [], []
    for _ in range(600):
        crop = random_resized_crop(photo, 64, draw)
        assert crop.shape == (64, 64, 3)
        left, top, right, bottom = corners(crop)
        width, height = (right - left) * 65 / 64 + 1, (bottom - top) * 65 / 64 + 1
        shares.append(width * height / (200 * 120))
        ratios.append(width / height)
    assert 0.07 < min(shares) < 0.11
    assert 0.75 < max(shares) < 1
    assert 0.72 < min(ratios) < 0.8
    assert 1.26 < max(ratios) < 1.4
    assert abs(np.mean(np.log(ratios))) < 0.03


def test_random_crops_reach_all_edges(photo):
    draw = rng()
    found = np.array([corners(random_resized_crop(photo, 64, draw)) for _ in range(400)])
    assert (found.min(0)[:2] <= 1).all()
    assert (found.max(0)[2:] >= (198, 118)).all()
    assert (found.max(0)[:2] >= (120, 60)).all()
    assert (found.min(0)[2:] <= (80, 60)).all()


def test_random_crops_follow_the_generator(photo):
    first, again, other = (random_resized_crop(photo, 32, rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(("shape", "kept"), [((20, 400), (20, 27)), ((400, 20), (27, 20)), ((1, 1), (1, 1))])
def test_where_nothing_fits_the_middle_is_taken(shape, kept):
    """At full area no ratio from 3/4 to 4/3 fits into an image of 1:20."""
    strip = np.zeros((*shape, 3), np.uint8)
    y, x = ((side - part) // 2 for side, part in zip(shape, kept, strict=True))
    strip[y : y + kept[0], x : x + kept[1]] = 255
    assert (random_resized_crop(strip, 16, rng(), area=(1, 1)) == 255).all()


def test_evaluation_takes_the_centre_at_seven_eighths(photo):
    """120 pixels are scaled to 128, of which 112 are kept: 105 of the photo's 120."""
    crop = center_crop(photo, 112)
    assert crop.shape == (112, 112, 3)
    np.testing.assert_allclose(corners(crop), (47.5, 7.5, 151.5, 111.5), atol=0.7)


@pytest.mark.parametrize("size", [8, 97, 224, 299])
@pytest.mark.parametrize("shape", [(10, 10), (375, 500), (500, 333), (9, 200)])
@pytest.mark.parametrize("ratio", [0.875, 1.0, 0.5])
def test_evaluation_fits_any_size(size, shape, ratio):
    assert center_crop(np.zeros((*shape, 3), np.uint8), size, ratio=ratio).shape == (size, size, 3)


def test_evaluation_at_its_own_size_changes_nothing(photo):
    square = photo[:64, :64]
    np.testing.assert_array_equal(center_crop(square, 64, ratio=1), square)
    np.testing.assert_array_equal(center_crop(square, 56), square[4:60, 4:60])


@pytest.mark.parametrize("size", [32, 97, 224])
@pytest.mark.parametrize("shape", [(10, 10), (61, 83), (120, 200), (9, 200), (500, 301), (300, 299)])
@pytest.mark.parametrize("ratio", [0.875, 1.0, 0.6])
def test_both_ways_of_evaluation_take_the_same_points(monkeypatch, size, shape, ratio):
    image = rng().integers(0, 256, (*shape, 3), dtype=np.uint8)
    usual = center_crop(image, size, ratio=ratio)
    monkeypatch.setattr("gluon_attn.data.crops._LONG", 0)
    assert np.abs(center_crop(image, size, ratio=ratio).astype(int) - usual).max() <= 1


def resized_and_cropped(image, size):
    """Evaluation as it is defined: all of the image is resized."""
    shorter = math.ceil(size / 0.875)
    scale = shorter / min(image.shape[:2])
    height, width = (max(shorter, round(side * scale)) for side in image.shape[:2])
    whole = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    top, left = (height - size) // 2, (width - size) // 2
    return whole[top : top + size, left : left + size]


@pytest.mark.parametrize("shape", [(40, 40), (120, 200), (500, 301), (10, 320), (10, 330), (7, 1000), (1000, 7)])
def test_ordinary_images_keep_opencvs_rounding(shape):
    """Up to an aspect ratio of 32 to the bit, beyond by one level at most."""
    image = rng().integers(0, 256, (*shape, 3), dtype=np.uint8)
    difference = np.abs(center_crop(image, 56).astype(int) - resized_and_cropped(image, 56)).max()
    assert difference <= (max(shape) > 32 * min(shape))


@pytest.mark.parametrize("shape", [(1, 60_000), (60_000, 1), (3, 2_000_000)])
def test_a_long_image_takes_little_memory(shape):
    """Resized as a whole, the first would have 4 billion pixels."""
    image = np.zeros((*shape, 3), np.uint8)
    tracemalloc.start()
    for crop in (center_crop, functools.partial(random_resized_crop, rng=rng())):
        assert crop(image, 224).shape == (224, 224, 3)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()
