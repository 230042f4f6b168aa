"""Each operation of RandAugment, and how they are drawn."""

import functools

import numpy as np
import pytest
from PIL import Image

from gluon_attn.config.data import MOST_MAGNITUDE
from gluon_attn.data.rand_augment import OPERATIONS, rand_augment

SIGNED = {"rotate", "color", "contrast", "brightness", "sharpness", "shear_x", "shear_y", "translate_x", "translate_y"}
WITHOUT_STRENGTH = {"identity", "autocontrast", "equalize"}


@pytest.fixture
def images():
    return np.random.default_rng(5).integers(30, 200, (60, 66, 66, 3), dtype=np.uint8)


def apply(name, image, level, sign=1):
    return np.asarray(OPERATIONS[name](Image.fromarray(image), level, sign))


def test_there_are_the_papers_fourteen():
    assert len(OPERATIONS) == 14


@pytest.mark.parametrize("name", OPERATIONS)
def test_strength_and_direction_have_their_effect(images, name):
    image = images[0]
    weak, strong, other = apply(name, image, 0.2), apply(name, image, 0.9), apply(name, image, 0.9, -1)
    assert weak.shape == strong.shape == image.shape
    assert np.array_equal(weak, strong) == (name in WITHOUT_STRENGTH)
    assert np.array_equal(strong, other) == (name not in SIGNED)
    assert np.array_equal(apply(name, image, 0), image) == (name not in {"autocontrast", "equalize"})


def test_solarize_inverts_from_a_threshold_on(images):
    image = images[0]
    np.testing.assert_array_equal(apply("solarize", image, 0.5), np.where(image < 128, image, 255 - image))
    np.testing.assert_array_equal(apply("solarize", image, 1), 255 - image)


def test_posterize_keeps_the_high_bits(images):
    np.testing.assert_array_equal(apply("posterize", images[0], 1), images[0] & 0xF0)


def test_brightness_is_a_factor(images):
    np.testing.assert_allclose(apply("brightness", images[0], 1, -1), images[0] * 0.1, atol=1)


def test_shifts_are_in_shares_of_the_side_and_bring_grey_in(images):
    shifted = apply("translate_x", images[0], 331 / 150 / 6)  # 11 of 66 pixels
    np.testing.assert_array_equal(shifted[:, :-11], images[0][:, 11:])
    assert (shifted[:, -11:] == 128).all()
    shifted = apply("translate_y", images[0], 331 / 150 / 6, -1)
    np.testing.assert_array_equal(shifted[11:], images[0][:-11])
    assert (shifted[:11] == 128).all()


def test_every_operation_is_drawn_at_the_given_magnitude(images, monkeypatch):
    drawn = []

    def spy(name, operation, picture, level, sign):
        drawn.append((name, level, sign))
        return operation(picture, level, sign)

    for name, operation in OPERATIONS.items():
        monkeypatch.setitem(OPERATIONS, name, functools.partial(spy, name, operation))
    rand_augment(images, 3, 15, np.random.default_rng(0))
    assert len(drawn) == 180
    assert {name for name, _, _ in drawn} == set(OPERATIONS)
    assert {(level, sign) for _, level, sign in drawn} == {(15 / MOST_MAGNITUDE, 1), (15 / MOST_MAGNITUDE, -1)}


def test_it_follows_the_generator_and_leaves_its_input(images):
    before = images.copy()
    first, again, other = (rand_augment(images, 2, 9, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(images, before)
