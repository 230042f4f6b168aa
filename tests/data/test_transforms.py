"""Batch augmentation against plain loops that draw the same numbers."""

import numpy as np
import pytest

from gluon_attn.data.transforms import cutout, normalize, random_crop, random_erasing, random_flip

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)


@pytest.fixture
def images():
    return np.random.default_rng(5).integers(0, 256, (40, 9, 12, 3), dtype=np.uint8)


def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("padding", [1, 4, 20])
def test_crop_is_a_window_of_the_black_bordered_image(images, padding):
    got = random_crop(images, padding, rng())
    top, left = rng().integers(0, 2 * padding + 1, (2, len(images)))
    for image, out, y, x in zip(images, got, top, left, strict=True):
        padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
        np.testing.assert_array_equal(out, padded[y : y + 9, x : x + 12])
    assert got.dtype == np.uint8


def test_crop_reaches_every_offset():
    dot = np.zeros((2000, 5, 5, 3), np.uint8)
    dot[:, 2, 2] = 1
    where = np.argwhere(random_crop(dot, 2, rng())[..., 0])[:, 1:]
    assert len(np.unique(where, axis=0)) == 25


def test_flip_mirrors_about_half(images):
    got = random_flip(images, rng())
    chosen = rng().random(len(images)) < 0.5
    for image, out, flipped in zip(images, got, chosen, strict=True):
        np.testing.assert_array_equal(out, image[:, ::-1] if flipped else image)
    assert 10 <= chosen.sum() <= 30


def test_normalize_is_the_formula_in_channel_first_order(images):
    got = normalize(images, MEAN, STD)
    want = (images / 255.0 - MEAN) / STD
    assert got.shape == (40, 3, 9, 12)
    assert got.dtype == np.float32
    assert got.flags.c_contiguous
    np.testing.assert_allclose(got, want.transpose(0, 3, 1, 2), atol=1e-6)


@pytest.mark.parametrize("shape", [(40, 9, 12), (3, 250, 270), (300, 32, 32), (1, 1, 2), (0, 8, 8)])
def test_normalize_rounds_after_each_of_two_steps(shape):
    """To the bit, as runs go on from those of earlier versions; in any number of parts, and of views."""
    images = np.random.default_rng(1).integers(0, 256, (3, *shape), dtype=np.uint8).transpose(1, 2, 3, 0)
    scales, shifts = (np.array(value, np.float32) for value in (1 / (255 * np.array(STD)), np.divide(MEAN, STD)))
    want = images.astype(np.float32) * scales - shifts
    np.testing.assert_array_equal(normalize(images, MEAN, STD), want.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(normalize(images[:, ::-1, 1:], MEAN, STD), want[:, ::-1, 1:].transpose(0, 3, 1, 2))


def test_flip_takes_views(images):
    view = images[::-1, ::2, ::-1]
    np.testing.assert_array_equal(random_flip(view, rng()), random_flip(view.copy(), rng()))


@pytest.mark.parametrize("length", [1, 4, 5, 16])
def test_cutout_zeroes_a_clipped_square(length):
    data = np.ones((60, 3, 9, 12), np.float32)
    got = cutout(data.copy(), length, rng())
    draw = rng()
    centre_y, centre_x = draw.integers(0, 9, 60), draw.integers(0, 12, 60)
    for out, y, x in zip(got, centre_y, centre_x, strict=True):
        for i in range(9):
            for j in range(12):
                inside = 0 <= i - y + length // 2 < length and 0 <= j - x + length // 2 < length
                assert (out[:, i, j] == (0 if inside else 1)).all()


def test_cutout_of_an_even_length_is_att_darts():
    """Its mask runs from centre - length // 2 to centre + length // 2, both clipped."""
    got = cutout(np.ones((100, 1, 32, 32), np.float32), 16, rng())
    draw = rng()
    for out, y, x in zip(got, draw.integers(0, 32, 100), draw.integers(0, 32, 100), strict=True):
        rows, columns = (np.clip((c - 8, c + 8), 0, 32) for c in (y, x))
        assert (out == 0).sum() == np.diff(rows) * np.diff(columns)
        assert (out[0, slice(*rows), slice(*columns)] == 0).all()


def test_inputs_stay_as_they_were(images):
    before = images.copy()
    random_crop(images, 4, rng()), random_flip(images, rng()), normalize(images, MEAN, STD)
    np.testing.assert_array_equal(images, before)


def erased(share, count=300, seed=3):
    """Which pixels of a batch of 7s changed, (N, 20, 30), and the batch."""
    data = random_erasing(np.full((count, 3, 20, 30), 7, np.float32), share, np.random.default_rng(seed))
    return (data != 7).all(1), data


def test_erased_parts_are_rectangles_of_noise():
    where, data = erased(1)
    for holes in where:
        rows, columns = np.flatnonzero(holes.any(1)), np.flatnonzero(holes.any(0))
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert holes.sum() == height * width
        assert 0.01 < height * width / 600 < 0.43
        assert 0.2 < height / width < 4.5
    noise = data[np.broadcast_to(where[:, None], data.shape)]
    assert abs(noise.mean()) < 0.05
    assert abs(noise.std() - 1) < 0.05
    assert where.any(0).all()


def test_a_share_of_the_images_is_erased():
    assert 40 < erased(0.2)[0].any((1, 2)).sum() < 80
    assert not erased(0)[0].any()


def test_erasing_follows_the_generator():
    np.testing.assert_array_equal(erased(0.5)[1], erased(0.5)[1])
    assert (erased(0.5)[1] != erased(0.5, seed=4)[1]).any()


@pytest.mark.parametrize("shape", [(8, 8), (8, 100)])
def test_small_and_long_images_can_be_erased(shape):
    data = random_erasing(np.zeros((50, 3, *shape), np.float32), 1, rng())
    assert (data != 0).any((1, 2, 3)).all()
