"""Masks: drawn as pycocotools draws them, to run lengths and polygons and back."""

import cv2
import numpy as np
import pytest

from gluon_attn.data.masks import area, bounds, rasterized, run_lengths, to_polygons, to_rle


def blobs(rng, height, width):
    """A random mask with large shapes."""
    field = cv2.resize(rng.random((6, 6)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return (field > 0.55).astype(np.uint8)


def dots(rng, height, width):
    """A random mask of single pixels."""
    return (rng.random((height, width)) < rng.random()).astype(np.uint8)


def random_polygon(rng, kind, height, width):
    """One of 3 to 12 points, partly outside the image, with all digits, two digits, whole numbers or points twice."""
    points = rng.uniform(-0.5, 1.5, (int(rng.integers(3, 13)), 2)) * [width, height]
    return {0: points, 1: np.round(points, 2), 2: np.round(points), 3: np.repeat(points, 2, axis=0)}[kind]


def test_a_rectangle_on_pixel_edges():
    mask = rasterized([np.array([[1, 2], [4, 2], [4, 5], [1, 5]])], 6, 8)
    expected = np.zeros((6, 8), np.uint8)
    expected[2:5, 1:4] = 1
    np.testing.assert_array_equal(mask, expected)


def test_polygons_are_united_and_cut_at_the_border():
    parts = [np.array([[-3, -3], [2, -3], [2, 2], [-3, 2]]), np.array([[1, 1], [9, 1], [9, 3], [1, 3]])]
    mask = rasterized(parts, 4, 5)
    np.testing.assert_array_equal(mask, [[1, 1, 0, 0, 0], [1, 1, 1, 1, 1], [0, 1, 1, 1, 1], [0, 0, 0, 0, 0]])


@pytest.mark.parametrize("kind", range(4))
def test_random_polygons_as_pycocotools_draws_them(kind):
    coco = pytest.importorskip("pycocotools.mask")
    rng = np.random.default_rng(kind)
    for _ in range(150):
        height, width = map(int, rng.integers(2, 90, 2))
        parts = [random_polygon(rng, kind, height, width) for _ in range(int(rng.integers(1, 4)))]
        flat = [part.ravel().tolist() for part in parts]
        expected = coco.decode(coco.merge(coco.frPyObjects(flat, height, width)))
        np.testing.assert_array_equal(rasterized(parts, height, width), expected)


def test_run_lengths_go_down_the_columns_zeros_first():
    assert to_rle(np.array([[0, 1], [1, 1]])) == {"size": [2, 2], "counts": [1, 3]}
    assert to_rle(np.array([[1, 1], [0, 0]])) == {"size": [2, 2], "counts": [0, 1, 1, 1, 1]}
    assert to_rle(np.zeros((2, 3), np.uint8)) == {"size": [2, 3], "counts": [6]}


@pytest.mark.parametrize("make", [blobs, dots])
def test_run_lengths_give_the_mask_back(make):
    rng = np.random.default_rng(1)
    for _ in range(50):
        mask = make(rng, *map(int, rng.integers(1, 50, 2)))
        rle = to_rle(mask)
        np.testing.assert_array_equal(rasterized(rle, *mask.shape), mask)
        assert area(rle, *mask.shape) == mask.sum()


@pytest.mark.parametrize("make", [blobs, dots])
def test_compressed_text_of_pycocotools_is_read(make):
    coco = pytest.importorskip("pycocotools.mask")
    rng = np.random.default_rng(2)
    for _ in range(50):
        mask = make(rng, *map(int, rng.integers(1, 120, 2)))
        encoded = coco.encode(np.asfortranarray(mask))
        np.testing.assert_array_equal(rasterized(encoded, *mask.shape), mask)
        text = {**encoded, "counts": encoded["counts"].decode()}
        np.testing.assert_array_equal(run_lengths(text, *mask.shape), to_rle(mask)["counts"])


def test_text_of_known_run_lengths():
    """The example worked out by hand: 5 bits a character from "0" on, from the fourth on differences."""
    mask = rasterized({"size": [4, 5], "counts": "334O3O"}, 4, 5)
    assert to_rle(mask)["counts"] == [3, 3, 4, 2, 7, 1]


@pytest.mark.parametrize("make", [blobs, dots])
def test_polygons_give_the_mask_back(make):
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(60):
        mask = make(rng, *map(int, rng.integers(1, 40, 2)))
        polygons = to_polygons(mask)
        if polygons is not None:
            found += 1
            np.testing.assert_array_equal(rasterized(polygons, *mask.shape), mask)
            assert area(polygons, *mask.shape) == mask.sum()
    assert found > 10


def test_holes_have_no_polygons():
    mask = np.ones((5, 5), np.uint8)
    assert len(to_polygons(mask)) == 1
    mask[2, 2] = 0
    assert to_polygons(mask) is None
    assert to_polygons(np.zeros((5, 5), np.uint8)) == []


def test_bounds_and_area():
    parts = [np.array([[1, 2.5], [4, 2.5], [4, 5]]), np.array([[6, 0], [7, 0], [7, 1], [6, 1]])]
    assert bounds(parts, 9, 9) == (1, 0, 7, 5)
    assert area(parts, 9, 9) == 3.75 + 1
    mask = np.zeros((6, 8), np.uint8)
    mask[2:5, 1:4] = 1
    assert bounds(to_rle(mask), 6, 8) == (1, 2, 4, 5)
    assert bounds(to_rle(0 * mask), 6, 8) == bounds(None, 6, 8) == bounds([], 6, 8) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "rle",
    [
        {"size": [3, 3], "counts": [5, 3]},
        {"size": [3, 3], "counts": [12, -3]},
        {"size": [2, 3], "counts": [3, 3]},
        {"size": [3, 3], "counts": [4.5, 4.5]},
        {"size": [3, 3], "counts": "###"},
        {"size": [3, 3], "counts": "o"},
        {"size": [3, 3], "counts": None},
        {"size": None, "counts": [9]},
        {"counts": [9]},
        {},
    ],
)
def test_run_lengths_that_do_not_fit_are_refused(rle):
    with pytest.raises(ValueError, match="its run lengths"):
        run_lengths(rle, 3, 3)
