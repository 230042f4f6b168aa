"""RoIAlign over all levels: both forms against a plain calculation, values and gradients."""

import contextlib
import math

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.nn import kernels
from gluon_attn.nn.roi_align import roi_align, roi_align_by_level

SCALES = [1 / 4, 1 / 8]
#: image, x1 y1 x2 y2: usual, partly outside, wholly outside, tiny, without area, the whole image
ROIS = [
    [0, 4, 6, 40, 30], [1, -10, 8, 20, 90], [1, 200, 200, 240, 230], [0, 10.2, 10.2, 10.3, 10.4], [1, 20, 20, 20, 20],
    [0, 0, 0, 64, 48],
]  # fmt: skip
LEVELS = [0, 1, 0, 1, 0, 1]
FORMS = {
    "compiled": kernels.compiled_operators,
    "plain": contextlib.nullcontext,
}


def points(start, end, bins, length, sampling, aligned):
    """For each bin the (pixel, weight) terms along one axis."""
    start, end = start - 0.5 * aligned, end - 0.5 * aligned
    extent = end - start if aligned else max(end - start, 1.0)
    count = sampling or math.ceil(extent / bins)
    found = []
    for number in range(bins):
        terms = []
        for k in range(count):
            at = start + number * extent / bins + (k + 0.5) * extent / bins / count
            if not -1 <= at <= length:
                continue
            at = max(at, 0.0)
            low = min(int(at), length - 1)
            part = at - low if low < length - 1 else 0.0
            terms += [(low, (1 - part) / count), (min(low + 1, length - 1), part / count)]
        found.append(terms)
    return found


def plain(maps, rois, levels, size, sampling, aligned, cotangent):
    """(result, gradients of the maps), in float64."""
    result = np.zeros((len(rois), maps[0].shape[1], *size))
    grads = [np.zeros(one.shape) for one in maps]
    for n, (roi, level) in enumerate(zip(rois, levels, strict=True)):
        image, scaled = int(roi[0]), np.array(roi[1:]) * SCALES[level]
        height, width = maps[level].shape[2:]
        rows = points(scaled[1], scaled[3], size[0], height, sampling, aligned)
        columns = points(scaled[0], scaled[2], size[1], width, sampling, aligned)
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                for y, down in row:
                    for x, right in column:
                        result[n, :, i, j] += down * right * maps[level][image, :, y, x]
                        grads[level][image, :, y, x] += down * right * cotangent[n, :, i, j]
    return result, grads


def computed(form, maps, size, sampling, aligned, cotangent):
    arrays = [mx.nd.array(one) for one in maps]
    for one in arrays:
        one.attach_grad()
    dirty = [mx.nd.full((1 << 16,), math.nan) for _ in range(8)]  # what is left uninitialized is no number
    mx.nd.waitall()
    del dirty
    with FORMS[form](), mx.autograd.record():
        out = roi_align(mx.nd, arrays, mx.nd.array(ROIS), mx.nd.array(LEVELS), size, SCALES, sampling, aligned)
        total = (out * mx.nd.array(cotangent)).sum()
    total.backward()
    return out.asnumpy(), [one.grad.asnumpy() for one in arrays]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize(("size", "sampling"), [((7, 7), 2), ((3, 5), 0), ((2, 2), 1)])
def test_values_and_gradients(form, size, sampling, aligned):
    """MXNet's own operator gets aligned rois without area a thousandth of a pixel wide: of that order is the limit."""
    if form == "compiled" and kernels.problem():
        pytest.skip(kernels.problem())
    random = np.random.default_rng(1)
    maps = [random.normal(size=(2, 70, 12, 16)).astype("f"), random.normal(size=(2, 70, 6, 8)).astype("f")]
    cotangent = random.normal(size=(len(ROIS), 70, *size)).astype("f")
    wanted, wanted_grads = plain(maps, ROIS, LEVELS, size, sampling, aligned, cotangent)
    out, grads = computed(form, maps, size, sampling, aligned, cotangent)
    least = 2e-3 if form == "plain" and aligned else 5e-6
    assert np.abs(out - wanted).max() <= least * np.abs(wanted).max()
    for got, want in zip(grads, wanted_grads, strict=True):
        assert np.abs(got - want).max() <= least * np.abs(want).max()


@pytest.mark.parametrize("form", FORMS)
def test_a_roi_on_no_level_is_zero(form):
    maps = [mx.nd.ones((1, 2, 4, 4)), mx.nd.ones((1, 2, 2, 2))]
    rois, levels = mx.nd.array([[0, 0, 0, 8, 8], [0, 0, 0, 8, 8]]), mx.nd.array([5, 0])
    with FORMS[form]():
        out = roi_align(mx.nd, maps, rois, levels, (2, 2), SCALES)
    assert out[0].sum().asscalar() == 0
    assert out[1].min().asscalar() == 1


@pytest.mark.parametrize("form", FORMS)
def test_a_symbol_gives_the_same(form):
    names = ["one", "two", "rois", "levels"]
    values = [mx.nd.random.normal(shape=(1, 3, 8, 8)), mx.nd.random.normal(shape=(1, 3, 4, 4)),
              mx.nd.array([[0, 1, 2, 20, 30], [0, 5, 5, 9, 9]]), mx.nd.array([1, 0])]  # fmt: skip
    with FORMS[form]():
        *maps, rois, levels = (mx.sym.var(name) for name in names)
        symbol = roi_align(mx.sym, maps, rois, levels, (3, 3), SCALES)
        wanted = roi_align(mx.nd, values[:2], *values[2:], (3, 3), SCALES)
        found = symbol.eval(ctx=mx.cpu(), **dict(zip(names, values, strict=True)))[0]
    np.testing.assert_array_equal(found.asnumpy(), wanted.asnumpy())


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("sampling", [2, 0])
def test_rois_that_are_grouped_by_level_give_the_same(sampling, aligned):
    maps = [mx.nd.random.normal(shape=(2, 3, 16, 16)), mx.nd.random.normal(shape=(2, 3, 8, 8))]
    kept = [number for number, roi in enumerate(ROIS) if roi[3] > roi[1]]
    rois, levels = np.array(ROIS, "float32")[kept], np.array(LEVELS)[kept]
    wanted = roi_align(mx.nd, maps, mx.nd.array(rois), mx.nd.array(levels), (4, 5), SCALES, sampling, aligned)
    groups = [np.flatnonzero(levels == level) for level in (0, 1)]
    order = mx.nd.array(np.argsort(np.concatenate(groups)), dtype="int32")
    own = [mx.nd.array(rois[group]) for group in groups]
    found = roi_align_by_level(mx.nd, maps, own, order, (4, 5), SCALES, sampling, aligned)
    np.testing.assert_array_equal(found.asnumpy(), wanted.asnumpy())
