"""What the heads are given: few numbers of rois, whatever an image has."""

import numpy as np
import pytest

from gluon_attn.detect.inference import filled_up


def rois(count):
    return np.arange(count * 5, dtype="float32").reshape(count, 5), np.arange(count, dtype="float32") % 4


@pytest.mark.parametrize(("count", "wanted"), [(0, 8), (1, 8), (8, 8), (9, 16), (65, 72), (100, 104), (1000, 1024)])
def test_rois_are_repeated(count, wanted):
    boxes, levels = rois(count)
    more, of_levels = filled_up(boxes, levels)
    assert (more.shape, of_levels.shape) == ((wanted, 5), (wanted,))
    assert (more.dtype, of_levels.dtype) == (np.float32, np.float32)
    if count:
        np.testing.assert_array_equal(more, boxes[np.arange(wanted) % count])
        np.testing.assert_array_equal(of_levels, levels[np.arange(wanted) % count])


def test_there_are_few_counts_and_little_waste():
    counts = {count: len(filled_up(*rois(count))[0]) for count in range(1, 1001)}
    assert len(set(counts.values())) < 45
    assert all(0 <= more - count <= max(7, count / 8) for count, more in counts.items())
