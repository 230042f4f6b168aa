"""Label smoothing, mixup and cutmix against their formulas."""

import numpy as np
import pytest

from gluon_attn.data.mixing import SMOOTHING, cutmix, mixup, soft_labels

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


def pasted(lam, seed, shape=(20, 30)):
    """(which pixels came from the other image, share of the other label) for a batch of two."""
    data = np.stack([np.full((3, *shape), value, np.float32) for value in (1, 2)])
    before = data.copy()
    mixed, soft = cutmix(data, soft_labels(np.array([0, 1]), 4), lam, np.random.default_rng(seed))
    np.testing.assert_array_equal(data, before)
    other = mixed != data
    assert (other == other[:1, :1]).all()  # the same place in both images and all channels
    assert soft.dtype == mixed.dtype == np.float32
    np.testing.assert_allclose(soft[0], [1 - soft[0, 1], soft[0, 1], 0, 0], atol=1e-6)
    np.testing.assert_allclose(soft[1], soft[0, [1, 0, 2, 3]], atol=1e-6)
    return other[0, 0], soft[0, 1]


@pytest.mark.parametrize("lam", [0.0, 0.2, 0.5, 0.75, 0.99, 1.0])
def test_cutmix_pastes_a_rectangle_and_labels_its_area(lam):
    areas = []
    for seed in range(60):
        other, share = pasted(lam, seed)
        rows, columns = other.any(1), other.any(0)
        np.testing.assert_array_equal(other, rows[:, None] & columns)
        np.testing.assert_allclose(share, other.mean(), atol=1e-6)
        assert rows.sum() <= round(20 * np.sqrt(1 - lam))
        assert columns.sum() <= round(30 * np.sqrt(1 - lam))
        areas.append(other.mean())
    assert max(areas) <= 1 - lam + 0.05
    assert lam > 0.9 or max(areas) > 0.8 * (1 - lam)


def test_cutmix_reaches_every_pixel():
    assert np.any([pasted(0.9, seed)[0] for seed in range(300)], axis=0).all()
