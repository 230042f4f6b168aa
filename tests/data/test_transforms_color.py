"""Color changes against the plain formulas, step by step."""

import numpy as np
import pytest

from gluon_attn.data.transforms import color_jitter, jitter_matrix

LUMA = np.array([0.299, 0.587, 0.114])


@pytest.fixture
def images():
    """Away from black and white, so that nothing is clipped."""
    return np.random.default_rng(5).integers(100, 140, (30, 6, 8, 3), dtype=np.uint8)


def rng(seed=3):
    return np.random.default_rng(seed)


def step_by_step(image, factors, order):
    """Brightness, contrast and saturation as Gluon defines them, without rounding or clipping between."""
    image = image.astype(float)
    for step in order:
        grey = (image @ LUMA)[..., None]
        towards = (0, grey.mean(), grey)[step]
        image = factors[step] * image + (1 - factors[step]) * towards
    return image


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
@pytest.mark.parametrize("factors", [(1.2, 0.7, 1.3), (0.6, 1.4, 0.0), (0.0, 0.5, 0.5), (1, 0, 1)])
def test_one_map_is_the_three_steps(images, factors, order):
    image = images[0]
    matrix = jitter_matrix(image.reshape(-1, 3).mean(0), factors, order)
    np.testing.assert_allclose(image @ matrix[:, :3].T + matrix[:, 3], step_by_step(image, factors, order), atol=1e-9)


def test_images_are_changed_as_drawn(images):
    got, draw = color_jitter(images, 0.2, 0, rng()), rng()
    for image, out in zip(images, got, strict=True):
        factors, order = 1 + draw.uniform(-0.2, 0.2, 3), draw.permutation(3)
        draw.normal(0, 0, 3)
        np.testing.assert_allclose(
            out, step_by_step(image, factors, order), atol=0.75
        )  # OpenCV computes in fixed point
    assert got.dtype == np.uint8


def test_lighting_shifts_all_pixels_along_the_eigenvectors(images):
    shift = color_jitter(images, 0, 0.1, rng()).astype(int) - images
    assert (np.ptp(shift, axis=(1, 2)) <= 1).all()  # the same everywhere, to rounding
    many = color_jitter(np.full((2000, 1, 1, 3), 128, np.uint8), 0, 0.1, rng()).astype(float)[:, 0, 0]
    assert np.corrcoef(many.T).min() > 0.9  # the first eigenvector, nearly grey, has most of it
    np.testing.assert_allclose(many.std(0), [3.17, 3.22, 3.26], atol=0.2)
    np.testing.assert_allclose(many.mean(0), 128, atol=0.3)


def test_values_are_clipped():
    white = np.full((50, 2, 2, 3), 255, np.uint8)
    got = color_jitter(white, 0.4, 0, rng())
    assert got.max() == 255
    assert got.min() < 250


def test_nothing_on_changes_nothing(images):
    np.testing.assert_array_equal(color_jitter(images, 0, 0, rng()), images)


def test_it_follows_the_generator_and_leaves_its_input(images):
    before = images.copy()
    first, again, other = (color_jitter(images, 0.4, 0.1, rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(images, before)
