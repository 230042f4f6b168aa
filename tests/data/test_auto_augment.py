"""Policies of augmentation: what each level does, how operations are drawn."""

import math

import numpy as np
import pytest
from PIL import Image

from gluon_attn.data import auto_augment as module
from gluon_attn.data.auto_augment import IMAGENET, LEVELED, RAND, RAND_INCREASING, Step, auto_augment


@pytest.fixture
def images():
    return np.random.default_rng(5).integers(30, 200, (60, 20, 20, 3), dtype=np.uint8)


def apply(name, image, level, sign=1):
    return np.asarray(LEVELED[name](Image.fromarray(image), level, sign))


def test_the_policy_of_the_paper():
    assert len(IMAGENET) == 25
    assert {step.name for pair in IMAGENET for step in pair} <= set(LEVELED)
    assert IMAGENET[0] == (Step("posterize_original", 0.4, 8), Step("rotate", 0.6, 9))
    assert len(set(RAND)) == len(set(RAND_INCREASING)) == 15


@pytest.mark.parametrize(
    ("name", "level", "bits"),
    [
        ("posterize", 0.5, 2), ("posterize", 1, 4), ("posterize_increasing", 0, 4), ("posterize_increasing", 0.5, 2),
        ("posterize_original", 0, 4), ("posterize_original", 0.8, 7), ("posterize", 0, 0),
        ("posterize_increasing", 1, 0),
    ],
)  # fmt: skip
def test_posterize(images, name, level, bits):
    kept = (255 << (8 - bits)) & 255
    np.testing.assert_array_equal(apply(name, images[0], level), images[0] & kept)


@pytest.mark.parametrize(
    ("name", "level", "threshold"),
    [("solarize", 0.5, 128), ("solarize", 1, 256), ("solarize_increasing", 0.25, 192), ("solarize_increasing", 1, 0)],
)
def test_solarize(images, name, level, threshold):
    image = images[0]
    np.testing.assert_array_equal(apply(name, image, level), np.where(image < threshold, image, 255 - image))


def test_solarize_add_and_invert(images):
    image = images[0]
    np.testing.assert_array_equal(apply("solarize_add", image, 0.5), np.where(image < 128, image + 55, image))
    np.testing.assert_array_equal(apply("invert", image, 0.5), 255 - image)


@pytest.mark.parametrize(
    ("name", "level", "sign", "factor"),
    [
        ("brightness", 0, 1, 0.1), ("brightness", 0.5, 1, 1.0), ("brightness", 0.6, -1, 1.18),
        ("brightness_increasing", 0.2, 1, 1.18), ("brightness_increasing", 1, -1, 0.1),
    ],
)  # fmt: skip
def test_factors(images, name, level, sign, factor):
    np.testing.assert_allclose(apply(name, images[0], level, sign), (images[0] * factor).clip(0, 255), atol=1)


def test_a_shift_is_a_share_of_the_side(images):
    np.testing.assert_array_equal(apply("translate_x", images[0], 1)[:, :-9], images[0][:, 9:])


@pytest.mark.parametrize(
    ("policy", "mean", "deviation", "share"),
    [
        ("rand-m9-mstd0.5-inc1", 9, 0.5, 0.5), ("rand-m4-n3-p1", 4, 0, 1), ("rand-m8-mstd101-p1", 4, 8 / 12**0.5, 1),
    ],
)  # fmt: skip
def test_how_steps_are_drawn(policy, mean, deviation, share, images, monkeypatch):
    seen = []

    def spy(name):
        return lambda image, level, sign: seen.append((name, 10 * level, sign)) or image

    for name in LEVELED:
        monkeypatch.setitem(module.LEVELED, name, spy(name))
    for number in range(20):
        auto_augment(images, policy, np.random.default_rng(number))
    count = 3 if "n3" in policy else 2
    levels = np.array([level for _, level, _ in seen])
    assert {name for name, _, _ in seen} == set(RAND_INCREASING if "inc1" in policy else RAND)
    assert abs(len(seen) / (20 * 60 * count) - share) < 0.05
    assert abs(levels.mean() - mean) < 0.2
    assert abs(levels.std() - deviation) < 0.1
    assert levels.min() >= 0
    assert levels.max() <= 10
    assert abs(np.mean([sign for _, _, sign in seen])) < 0.15
    assert math.isclose(levels.std(), 0, abs_tol=1e-9) == (deviation == 0)


@pytest.mark.parametrize("policy", ["original", "rand-m9-mstd0.5"])
def test_it_follows_the_generator_and_leaves_its_input(images, policy):
    before = images.copy()
    first, again, other = (auto_augment(images, policy, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first != before).any()
    np.testing.assert_array_equal(images, before)
