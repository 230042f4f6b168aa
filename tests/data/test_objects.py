"""Objects of an image that is resized, mirrored, or loses some of them."""

import numpy as np
import pytest

from gluon_attn.data.masks import to_rle
from gluon_attn.data.objects import Objects, no_objects

SIZE = (20, 30)


def square(y, x, side):
    mask = np.zeros(SIZE, np.uint8)
    mask[y : y + side, x : x + side] = 1
    return mask


def objects():
    """A polygon, run lengths of a crowd, and an object without a mask."""
    corner = np.array([[2, 3], [12, 3], [12, 13], [2, 13]], np.float64)
    return Objects(
        boxes=np.array([[2, 3, 12, 13], [20, 5, 28, 13], [0, 0, 30, 20]], np.float32),
        labels=np.array([1, 0, 4], np.int32),
        crowd=np.array([False, True, False]),
        segments=([corner], to_rle(square(5, 20, 8)), None),
        area=np.array([100, 64, 600], np.float32),
        ids=np.array([7, 8, 9]),
        size=SIZE,
    )


def test_masks():
    np.testing.assert_array_equal(objects().rasterized(0), square(3, 2, 10))
    np.testing.assert_array_equal(objects().rasterized(1), square(5, 20, 8))
    with pytest.raises(ValueError, match="without a mask"):
        objects().rasterized(2)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("size", [(32, 32), (10, 25)])
def test_masks_on_a_canvas(number, size):
    whole = objects().rasterized(number)
    expected = np.zeros((40, 40), np.uint8)
    expected[: SIZE[0], : SIZE[1]] = whole
    np.testing.assert_array_equal(objects().rasterized(number, size), expected[: size[0], : size[1]])


def test_selected():
    some = objects().selected([2, 0])
    assert len(some) == 2
    assert some.ids.tolist() == [9, 7]
    assert some.segments[0] is None
    assert objects().selected(~objects().crowd).labels.tolist() == [1, 4]
    assert len(objects().selected([])) == 0
    assert objects().selected([]).boxes.shape == (0, 4)


def test_resized():
    large = objects().resized(2.0, 1.5)
    assert large.size == (40, 45)
    np.testing.assert_allclose(large.boxes[0], [3, 6, 18, 26])
    np.testing.assert_allclose(large.area, [300, 192, 1800])
    for number in (0, 1):
        mask = large.rasterized(number)
        assert mask.sum() == large.area[number]
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        np.testing.assert_array_equal(
            large.boxes[number], [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        )  # fmt: skip
    assert objects().boxes[0, 2] == 12  # the old ones are as before
    assert objects().resized(1.0, 1.0).boxes.dtype == large.boxes.dtype == np.float32


def test_flipped():
    mirrored = objects().flipped()
    np.testing.assert_array_equal(mirrored.boxes, [[18, 3, 28, 13], [2, 5, 10, 13], [0, 0, 30, 20]])
    for number in (0, 1):
        np.testing.assert_array_equal(mirrored.rasterized(number), objects().rasterized(number)[:, ::-1])
    np.testing.assert_array_equal(mirrored.flipped().boxes, objects().boxes)
    np.testing.assert_array_equal(objects().flipped(30).boxes, mirrored.boxes)


def test_no_objects():
    none = no_objects((10, 12))
    assert len(none.resized(2.0, 2.0).flipped().selected([])) == len(none) == 0
    assert none.resized(2.0, 2.0).size == (20, 24)
