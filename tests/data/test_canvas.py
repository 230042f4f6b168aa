"""Images on canvases: sizes, resizing, mirroring, normalization."""

import numpy as np
import pytest

from gluon_attn.data.canvas import Canvases, Placement, choose, normalize, resize, resized_size
from gluon_attn.data.objects import Objects, no_objects
from gluon_attn.utils.seed import generator


@pytest.mark.parametrize(
    ("size", "shorter", "longer", "expected"),
    [
        ((480, 640), 800, 1333, (800, 1066)),
        ((640, 480), 800, 1333, (1066, 800)),
        ((480, 1000), 800, 1333, (639, 1333)),
        ((120, 165), 160, 224, (160, 220)),
        ((500, 500), 800, 1333, (800, 800)),
        ((1, 10_000), 800, 1333, (1, 1333)),
    ],
)
def test_sizes_keep_the_ratio_and_are_rounded_down(size, shorter, longer, expected):
    assert resized_size(*size, shorter, longer) == expected


def test_the_shorter_side_is_always_what_was_asked_for():
    """The quotient of two floats would round some of them to one less."""
    for side in range(1, 900):
        assert resized_size(side, side + 1, 800, 2000)[0] == 800


def test_sizes_stay_on_the_canvas():
    assert resized_size(100, 400, 64, 500, (64, 128)) == (32, 128)
    assert resized_size(100, 100, 200, 500, (64, 128)) == (64, 64)


def test_canvases_hold_every_image_and_no_more():
    sizes = np.array([[480, 640], [640, 427], [333, 500]])
    assert choose(sizes, (800,), 1333) == Canvases((800, 1216), (1216, 800))
    assert choose(sizes, (640, 800), 1333) == choose(sizes, (800,), 1333)
    assert choose(sizes, (800,), 1333, square=True) == Canvases((1216, 1216), (1216, 1216))
    assert choose(np.array([[224, 256], [256, 224]]), (224,), 256) == Canvases((224, 256), (256, 224))
    assert choose(np.array([[100, 1000]]), (800,), 1333) == Canvases((160, 1344), (1344, 160))


def test_which_canvas():
    canvases = Canvases((32, 64), (64, 32))
    assert canvases.of(10, 11) == canvases.of(10, 10) == (32, 64)
    assert canvases.of(11, 10) == (64, 32)


def bilinear(image, size):
    """Points (i + 0.5) * old / new - 0.5, edges repeated, in float64."""
    for axis, new in enumerate(size):
        old = image.shape[axis]
        points = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        low = np.floor(points).astype(int)
        way = (points - low).reshape([-1 if k == axis else 1 for k in range(3)])
        image = image.take(low, axis) * (1 - way) + image.take(np.minimum(low + 1, old - 1), axis) * way
    return image


@pytest.mark.parametrize("size", [(40, 55), (13, 9), (20, 31), (7, 90)])
def test_resizing_is_bilinear_without_antialiasing(size):
    image = np.random.default_rng(0).integers(0, 256, (20, 31, 3)).astype(np.uint8)
    result = resize(image, size)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, bilinear(image.astype(np.float64), size), atol=2e-3)


def test_normalization():
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(np.float32)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    expected = ((image.astype(np.float64) / 255 - mean) / std).transpose(2, 0, 1)
    result = normalize(image, mean, std)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=1e-6)


def placement(**changes):
    fields = {"canvases": Canvases((64, 96), (96, 64)), "shorter": (64,), "longer": 96, "mean": (0, 0, 0),
              "std": (1, 1, 1)}  # fmt: skip
    return Placement(**{**fields, **changes})


def square(size=(32, 40)):
    """An image with a white square, and the square as an object."""
    y, x, side = 4, 6, 10
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[y : y + side, x : x + side] = 255
    corners = np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], np.float64)
    box = np.array([[x, y, x + side, y + side]], np.float32)
    ones = np.ones(1)
    return pixels, Objects(box, ones.astype(np.int32), ones < 0, ([corners],), 100 * ones, ones.astype(int), size)


def test_a_sample_of_evaluation():
    pixels, objects = square()
    sample = placement().place(pixels, objects, image_id=17, index=3)
    assert sample.image.shape == (3, 64, 96)
    assert sample.image.dtype == np.float32
    assert (sample.size, sample.scale, sample.original) == ((64, 80), (2, 2), (32, 40))
    assert (sample.flipped, sample.image_id, sample.index) == (False, 17, 3)
    np.testing.assert_array_equal(sample.objects.boxes, [[12, 8, 32, 28]])
    assert sample.objects.size == (64, 80)
    assert not sample.image[:, :, 80:].any()
    mask = sample.objects.rasterized(0, (64, 96)).astype(bool)
    assert sample.image[:, mask].min() > 0.5
    assert sample.image[:, ~mask].max() < 0.5


def test_mirrored_samples_keep_image_and_objects_together():
    pixels, objects = square()
    seen = set()
    for seed in range(20):
        sample = placement(shorter=(40, 64)).place(pixels, objects, np.random.default_rng(seed))
        seen.add((sample.flipped, sample.size))
        mask = sample.objects.rasterized(0, (64, 96)).astype(bool)
        assert sample.image[:, mask].mean() > 0.9
        assert sample.image[:, ~mask].mean() < 0.01
        assert not sample.image[:, sample.size[0] :].any()
        assert not sample.image[:, :, sample.size[1] :].any()
    assert len(seen) == 4


def test_the_scale_is_that_of_the_rounded_size():
    sample = placement(shorter=(37,)).place(np.zeros((31, 47, 3), np.uint8), no_objects((31, 47)))
    assert sample.size == (37, 56)
    assert sample.scale == (37 / 31, 56 / 47)


def test_without_mirroring_the_sizes_are_the_same():
    pixels, objects = square()
    drawn = [[placement(shorter=(32, 40, 64), flip=flip).place(pixels, objects, generator(seed)) for seed in range(9)]
             for flip in (True, False)]  # fmt: skip
    assert [sample.size for sample in drawn[0]] == [sample.size for sample in drawn[1]]
    assert any(sample.flipped for sample in drawn[0])
    assert not any(sample.flipped for sample in drawn[1])


def test_evaluation_takes_the_largest_size():
    pixels, objects = square()
    assert placement(shorter=(64, 40)).place(pixels, objects).size == (64, 80)


def test_images_longer_than_any_of_the_data_set_still_fit():
    sample = placement(longer=1000).place(np.full((20, 200, 3), 255, np.uint8), no_objects((20, 200)))
    assert sample.size == (9, 96)
