"""Label smoothing and mixup against their formulas."""

import numpy as np

from gluon_attn.data.mixing import SMOOTHING, mixup, soft_labels

LABELS = np.array([2, 0, 3], np.int32)


def test_without_smoothing_rows_are_one_hot():
    np.testing.assert_array_equal(soft_labels(LABELS, 4), np.eye(4, dtype=np.float32)[LABELS])


def test_smoothing_spreads_a_tenth_over_all_classes():
    soft = soft_labels(LABELS, 4, SMOOTHING)
    want = np.full((3, 4), 0.025)
    want[[0, 1, 2], LABELS] = 0.925
    np.testing.assert_allclose(soft, want, rtol=1e-6)
    np.testing.assert_allclose(soft.sum(1), 1, rtol=1e-6)
    assert soft.dtype == np.float32


def test_mixup_blends_with_the_reverse():
    data = np.random.default_rng(0).normal(size=(3, 2, 4, 4)).astype(np.float32)
    mixed, soft = mixup(data, soft_labels(LABELS, 4), 0.3)
    assert mixed.dtype == soft.dtype == np.float32
    for i in range(3):
        np.testing.assert_allclose(mixed[i], 0.3 * data[i] + 0.7 * data[2 - i], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(soft, [[0, 0, 0.3, 0.7], [1, 0, 0, 0], [0, 0, 0.7, 0.3]], rtol=1e-5)


def test_mixup_of_everything_changes_nothing():
    data = np.ones((3, 1, 2, 2), np.float32) * np.arange(3, dtype=np.float32)[:, None, None, None]
    mixed, soft = mixup(data, soft_labels(LABELS, 4), 1.0)
    np.testing.assert_array_equal(mixed, data)
    np.testing.assert_array_equal(soft, soft_labels(LABELS, 4))
