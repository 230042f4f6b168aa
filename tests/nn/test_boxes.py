"""Boxes: against plain loops, and at the edges."""

import numpy as np
import pytest

from gluon_attn.nn import boxes as bx

RNG = np.random.default_rng(0)


def some(count, largest=100.0):
    corners = RNG.uniform(0, largest, (count, 2))
    return np.concatenate([corners, corners + RNG.uniform(1, 30, (count, 2))], axis=1).astype("float32")


def plain_iou(one, other):
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    union = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - shared
    return shared / union if union else 0.0


def plain_nms(boxes, scores, threshold):
    kept = []
    for number in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        if all(plain_iou(boxes[number], boxes[other]) <= threshold for other in kept):
            kept.append(number)
    return kept


def test_overlap_of_each_pair():
    one, other = some(7), some(5)
    wanted = [[plain_iou(a, b) for b in other] for a in one]
    np.testing.assert_allclose(bx.iou(one, other), wanted, rtol=1e-5, atol=1e-7)
    point = np.array([[3, 3, 3, 3]], "float32")
    assert bx.iou(point, point) == 0
    assert bx.iou(one[:0], other).shape == (0, 5)


@pytest.mark.parametrize("count", [1, 40, 600])  # 600: more than are looked at in one go
def test_suppression_is_that_of_a_loop(count):
    boxes, scores = some(count, 200), RNG.integers(0, 50, count).astype("float32")  # with equal scores
    wanted = plain_nms(boxes, scores, 0.3)
    assert bx.nms(boxes, scores, 0.3).tolist() == wanted
    assert bx.nms(boxes, scores, 0.3, 5).tolist() == wanted[:5]


def test_boxes_of_other_groups_drop_none():
    boxes = np.tile(np.array([[0, 0, 10, 10]], "float32"), (4, 1))
    groups = np.array([0, 1, 0, 2])
    kept = bx.grouped_nms(boxes, np.array([0.1, 0.2, 0.3, 0.4], "float32"), groups, 0.5)
    assert kept.tolist() == [3, 2, 1]
    assert bx.grouped_nms(boxes[:0], groups[:0], groups[:0], 0.5).tolist() == []


@pytest.mark.parametrize("weights", [(1, 1, 1, 1), (10, 10, 5, 5)])
def test_what_is_coded_is_decoded(weights):
    boxes, anchors = some(20), some(20)
    deltas = bx.encode(boxes, anchors, weights)
    assert deltas.dtype == np.float32
    np.testing.assert_allclose(bx.decode(deltas, anchors, weights), boxes, atol=2e-4)
    several = np.stack([deltas, np.zeros_like(deltas)], axis=1)
    np.testing.assert_allclose(bx.decode(several, anchors, weights)[:, 1], anchors, atol=1e-4)


def test_a_box_grows_by_a_limited_factor():
    anchor, deltas = np.array([[0, 0, 16, 16]], "float32"), np.array([[0, 0, 1000, 1000]], "float32")
    left, top, right, bottom = bx.decode(deltas, anchor)[0]
    assert (right - left, bottom - top) == pytest.approx((1000, 1000), rel=1e-5)


def test_cut_and_large_enough():
    boxes = np.array([[-5, -5, 5, 5], [90, 20, 130, 70], [7, 7, 7, 9]], "float32")
    cut = bx.clip(boxes, (50, 100))
    assert cut.tolist() == [[0, 0, 5, 5], [90, 20, 100, 50], [7, 7, 7, 9]]
    assert bx.large_enough(cut, 1).tolist() == [0, 1]


def test_anchors_go_by_row_column_and_shape():
    cell = bx.cell_anchors([32], [0.5, 1.0, 2.0])
    assert cell.tolist() == [[-23, -11, 23, 11], [-16, -16, 16, 16], [-11, -23, 11, 23]]
    assert not (bx.cell_anchors([32], [0.5], rounded=False) == cell[:1]).any()
    grid = bx.grid_anchors(cell, (2, 3), (8, 4))
    assert grid.shape == (18, 4)
    np.testing.assert_array_equal(grid[3 * (1 * 3 + 2) + 1], [-8, -8, 24, 24])


def test_levels_of_rois():
    sides = np.array([1, 111, 112, 223, 224, 447, 448, 5000], "float32")
    boxes = np.stack([np.zeros(8), np.zeros(8), sides, sides], axis=1)
    assert bx.roi_levels(boxes).tolist() == [2, 2, 3, 3, 4, 4, 5, 5]
    assert bx.roi_levels(np.zeros((1, 4), "float32")).tolist() == [2]
