"""Run-length codes of masks: the same texts as pycocotools, and what is no code."""

import numpy as np
import pytest

from gluon_attn.data import rle
from gluon_attn.utils.errors import UserError


def masks():
    """Masks of many shapes and densities, with runs that cross columns, at any border."""
    random = np.random.default_rng(1)
    for _ in range(300):
        height, width = random.integers(1, 40, 2)
        mask = random.random((height, width)) < random.choice([0, 0.02, 0.5, 0.97, 1])
        yield np.repeat(np.repeat(mask, 5, 0), 7, 1) if random.random() < 0.3 else mask


def test_the_format_by_hand():
    mask = np.array([[0, 1, 1], [0, 1, 0]], bool)  # columns 00 11 10
    assert rle.runs(rle.from_mask(mask)).tolist() == [2, 3, 1]
    assert rle.from_mask(mask) == {"size": [2, 3], "counts": "231"}
    long = rle.compressed({"size": [10, 10], "counts": [40, 33, 7, 1, 19]})
    assert long["counts"] == "X1Q17PO<"  # the last two are 1 - 33 and 19 - 7
    assert rle.runs(long).tolist() == [40, 33, 7, 1, 19]
    assert rle.area(long) == 34


def test_it_is_what_pycocotools_writes():
    theirs = pytest.importorskip("pycocotools.mask")
    for mask in masks():
        wanted, found = theirs.encode(np.asfortranarray(mask, np.uint8)), rle.from_mask(mask)
        assert found["counts"].encode() == wanted["counts"]
        assert found["size"] == wanted["size"]
        assert rle.area(found) == theirs.area(wanted)
        assert list(rle.bounds(found)) == theirs.toBbox(wanted).tolist()


def test_a_mask_comes_back():
    for mask in masks():
        found = rle.from_mask(mask)
        assert (rle.to_mask(found) == mask).all()
        assert (rle.to_mask({**found, "counts": rle.runs(found).tolist()}) == mask).all()
        assert (rle.to_mask({**found, "counts": found["counts"].encode()}) == mask).all()


def test_a_window_is_the_whole_mask_around_it():
    random = np.random.default_rng(2)
    for corner in ((0, 0), (3, 0), (0, 4), (6, 5)):
        whole = np.zeros((11, 13), bool)
        inside = random.random((7, 6)) < 0.7  # (w,h)
        whole[corner[1] : corner[1] + 6, corner[0] : corner[0] + 7] = inside.T
        assert rle.from_window(inside, corner, (11, 13)) == rle.from_mask(whole)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (None, "it needs"),
        ([[1, 2, 3, 4, 5, 6]], "it needs"),
        ({"size": [4, 4]}, "it needs"),
        ({"size": [4], "counts": "0"}, "it needs"),
        ({"size": [4, -4], "counts": "0"}, "it needs"),
        ({"size": [4, True], "counts": "4"}, "it needs"),
        ({"size": [4.0, 4], "counts": "`0"}, "it needs"),
        ({"size": [90000, 90000], "counts": "0"}, "too large"),
        ({"size": [4, 4], "counts": [15]}, "its runs have 15 pixels, its size is 4 x 4"),
        ({"size": [4, 4], "counts": []}, "its runs have 0 pixels"),
        ({"size": [4, 4], "counts": [20, -4]}, "a run below 0"),
        ({"size": [4, 4], "counts": [16.0]}, "whole numbers"),
        ({"size": [4, 4], "counts": [10**30]}, "whole numbers"),
        ({"size": [4, 4], "counts": ""}, "no compressed RLE"),
        ({"size": [4, 4], "counts": "P"}, "no compressed RLE"),  # says that more follows
        ({"size": [4, 4], "counts": "4é"}, "no compressed RLE"),
        ({"size": [4, 4], "counts": "oooooooooooooooo0"}, "no compressed RLE"),
    ],
)
def test_what_is_no_code_is_refused(wrong, words):
    with pytest.raises(UserError, match=words) as caught:
        rle.runs(wrong)
    assert "\n" not in str(caught.value)
