"""The compiled operators: the numbers of the built-in ones, in every attention; and what happens without a compiler."""

import contextlib
import functools
import os

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_attention, list_attentions
from gluon_attn.attention.factory import attention_options
from gluon_attn.nn import fast, kernels

ROUNDING = {"float64": 1e-9, "float32": 2e-5}
needs_compiler = pytest.mark.skipif(kernels.problem() is not None, reason=str(kernels.problem()))
AXES = [(0, 1, 2, 3), (0, 2, 1, 3), (0, 3, 2, 1)]


def _weighted_sum(F, weights, *maps):
    return fast.weighted_sum(F, list(maps), weights)


FUNCTIONS = {
    "channel_gate": (fast.channel_gate, [(3, 6, 5, 7), (3, 6, 1, 1)]),
    "channel_gate_past_the_caches": (fast.channel_gate, [(4, 16, 64, 64), (4, 16, 1, 1)]),
    "channel_shift_past_the_caches": (fast.channel_shift, [(4, 16, 64, 64), (4, 16, 1, 1)]),
    "channel_shift": (fast.channel_shift, [(3, 6, 5, 7), (3, 6, 1, 1)]),
    "spatial_gate": (fast.spatial_gate, [(3, 6, 5, 7), (3, 1, 5, 7)]),
    "wide_spatial_gate": (fast.spatial_gate, [(2, 3, 40, 60), (2, 1, 40, 60)]),  # more than one task's columns
    "axes_gate": (fast.axes_gate, [(3, 6, 5, 7), (3, 6, 5, 1), (3, 6, 1, 7)]),
    "cross_gate": (fast.cross_gate, [(3, 6, 5, 7), (3, 6, 5, 1), (3, 6, 1, 7)]),
    "cross_gate_with_plane": (fast.cross_gate, [(3, 6, 40, 60), (3, 6, 40, 1), (3, 6, 1, 60), (3, 1, 40, 60)]),
    "channel_mean": (fast.channel_mean, [(3, 37, 5, 7)]),
    "channel_max": (fast.channel_max, [(3, 37, 5, 7)]),
    "global_avg": (fast.global_avg, [(3, 6, 5, 7)]),
    "global_max": (fast.global_max, [(3, 6, 5, 7)]),
    "avg_pool": (fast.avg_pool, [(3, 6, 19, 33)]),
    "avg_pool_by_two": (lambda F, x: fast.avg_pool(F, x, 2), [(3, 6, 8, 5)]),
    "avg_pool_of_a_pixel": (lambda F, x: fast.avg_pool(F, x, 2), [(3, 6, 1, 1)]),
    "max_pool": (fast.max_pool, [(3, 6, 7, 5)]),
    "max_pool_by_two": (lambda F, x: fast.max_pool(F, x, 2), [(3, 6, 8, 5)]),
    "max_pool_of_a_pixel": (lambda F, x: fast.max_pool(F, x, 2), [(3, 6, 1, 1)]),
    "row_mean": (lambda F, x: fast.line_mean(F, x, 3), [(3, 6, 5, 7)]),
    "column_mean": (lambda F, x: fast.line_mean(F, x, 2), [(3, 6, 5, 7)]),
    "logistic_gate": (fast.logistic_gate, [(3, 6, 5, 7), (3, 6, 5, 7)]),
    "swish": (fast.swish, [(3, 6, 5, 7)]),
    "hard_swish": (lambda F, x: fast.hard_swish(F, 3 * x), [(3, 6, 5, 7)]),  # also where the gate is 0 or 1
    "softmax": (fast.softmax, [(3, 6, 35)]),
    "weighted_sum": (_weighted_sum, [(3,), *[(2, 5, 40, 60)] * 3]),
    "weighted_sum_past_the_caches": (_weighted_sum, [(2,), *[(4, 16, 64, 64)] * 2]),
    "weighted_pool": (fast.weighted_pool, [(3, 6, 5, 7), (3, 1, 35)]),
    "weighted_pool_of_one_image": (fast.weighted_pool, [(1, 6, 5, 7), (1, 1, 35)]),
    "pixel": (fast.global_max, [(3, 6, 1, 1)]),
    **{f"max_mean_{axes[1]}": (lambda F, x, axes=axes: fast.max_mean(F, x, axes), [(3, 37, 20, 60)]) for axes in AXES},
}


class Layer(mx.gluon.HybridBlock):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def hybrid_forward(self, F, *inputs):
        return self.function(F, *inputs)


def head(out):
    return mx.nd.array(np.random.RandomState(3).normal(size=out.shape), dtype=out.dtype)


def passed(block, inputs, compiled, req="write"):
    """Outputs and all gradients of a training pass, traced in one of the forms."""
    for array in inputs:
        array.attach_grad(req)
    block.hybridize(static_alloc=True)
    mx.random.seed(5)  # of dropout
    with kernels.compiled_operators() if compiled else contextlib.nullcontext():
        with mx.autograd.record():
            out = block(*inputs)
        out.backward(head(out))
    learned = [p for p in block.collect_params().values() if p.grad_req != "null"]
    return [array.asnumpy() for array in (out, *(x.grad for x in inputs), *(p.grad() for p in learned))]


def near(got, wanted, dtype):
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=ROUNDING[dtype], atol=ROUNDING[dtype] * max(1, np.abs(b).max()))


def uses_kernels(block, *inputs):
    with kernels.compiled_operators():
        symbol = block(*(mx.sym.var(f"x{i}") for i, _ in enumerate(inputs)))
    return "gluon_attn_" in symbol.tojson()


@needs_compiler
@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_agree_with_the_built_in_operators(name, dtype):
    function, shapes = FUNCTIONS[name]
    inputs = [mx.nd.random.normal(shape=shape).astype(dtype) for shape in shapes]
    assert uses_kernels(Layer(function), *inputs)
    near(passed(Layer(function), inputs, True), passed(Layer(function), inputs, False), dtype)


@needs_compiler
@pytest.mark.parametrize("size", [(7, 5), (1, 1)], ids=str)
@pytest.mark.parametrize("name", list_attentions())
def test_every_attention_agrees_with_the_built_in_operators(name, size):
    """In float64, so that only a wrong formula can differ; batch 3, since a batch of 1 hides a mixed-up image."""
    made = get_attention(name, 16, **({"spatial": size} if "spatial" in attention_options(name) else {}))
    made.initialize(mx.init.Xavier())
    made.cast("float64")
    x = mx.nd.random.normal(shape=(3, 16, *size)).astype("float64")
    for parameter in made.collect_params().values():  # gates that start at zero hide much
        if parameter.grad_req != "null":
            parameter.set_data(parameter.data() + mx.nd.random.normal(0, 0.3, parameter.shape).astype("float64"))
    near(passed(made, [x], True), passed(made, [x], False), "float64")


@needs_compiler
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("halo", {"block": 4, "halo": 1, "heads": 2}),
        ("halo", {"block": 4, "halo": 5, "stride": 2}),
        ("halo", {"block": 4, "halo": 2, "stride": 2, "variant": "timm"}),
        ("halo", {"block": 3, "halo": 1, "variant": "timm"}),
        ("fa", {"kernel_size": 5}),
        ("fa", {"kernel_size": 9, "heads": 2}),
        ("bot", {"spatial": (9, 14)}),
        ("shuffle", {"groups": 2}),
    ],
)
def test_windows_positions_and_halves_of_every_form(name, options):
    """Maps of several windows, whose last ones reach beyond the map."""
    block = get_attention(name, 16, **options)
    block.initialize(mx.init.Xavier())
    block.cast("float64")
    for parameter in block.collect_params().values():
        parameter.set_data(parameter.data() + mx.nd.random.normal(0, 0.3, parameter.shape).astype("float64"))
    x = mx.nd.random.normal(shape=(2, 16, 9, 14)).astype("float64")
    near(passed(block, [x], True), passed(block, [x], False), "float64")


@needs_compiler
@pytest.mark.parametrize("variant", ["paper", "reference"])
def test_sge_on_a_flat_map_and_many_groups(variant):
    block = get_attention("sge", 64, variant=variant)
    block.initialize()
    block.cast("float64")
    block.weight.set_data(mx.nd.random.normal(shape=block.weight.shape).astype("float64"))
    x = mx.nd.random.normal(shape=(2, 64, 9, 8)).astype("float64")
    x[0, 3] = 1.5
    near(passed(block, [x], True), passed(block, [x], False), "float64")


@needs_compiler
def test_weights_whose_gradients_add_up():
    block, x = get_attention("sge", 16), mx.nd.random.normal(shape=(2, 16, 4, 5))
    block.initialize()
    once = passed(block, [x], True)[2:]
    block.collect_params().setattr("grad_req", "add")
    block.collect_params().zero_grad()
    passed(block, [x], True)
    for twice, gradient in zip(passed(block, [x], True)[2:], once, strict=True):
        np.testing.assert_allclose(twice, 2 * gradient, rtol=1e-5, atol=1e-5)


@needs_compiler
def test_a_gate_that_has_neither_channels_nor_pixels_of_its_own_is_an_error():
    """One for all images: the operator takes a gate with one run of axes of length 1."""
    with pytest.raises(mx.MXNetError):
        mx.nd.gluon_attn_gate(mx.nd.ones((2, 3, 4, 5)), mx.nd.ones((1, 3, 1, 1))).wait_to_read()
    x = mx.nd.ones((2, 3, 4, 5))
    with pytest.raises(mx.MXNetError):
        mx.nd.gluon_attn_gate_add_relu(x, mx.nd.ones((1, 3, 1, 1)), x).wait_to_read()


@needs_compiler
def test_a_gate_whose_map_needs_no_gradient():
    x, gate = mx.nd.random.normal(shape=(2, 3, 4, 5)), mx.nd.random.normal(shape=(2, 3, 1, 1))
    gate.attach_grad()
    with kernels.compiled_operators(), mx.autograd.record():
        fast.channel_gate(mx.nd, x, gate).backward()
    np.testing.assert_allclose(gate.grad.asnumpy(), x.asnumpy().sum((2, 3), keepdims=True), rtol=1e-5)


@needs_compiler
@pytest.mark.parametrize("dtype", ROUNDING)
def test_exponentials_of_extreme_values(dtype):
    """Where a sigmoid is 0 or 1, and where a softmax masks; NaN must show."""
    x = mx.nd.array([[-1e4, -100, -87, -20, -1e-4, 0, 1e-4, 20, 87, 100, 1e4]], dtype=dtype)
    ones = mx.nd.ones_like(x)
    with kernels.compiled_operators():
        gate = fast.logistic_gate(mx.nd, ones, x).asnumpy()
        share = fast.softmax(mx.nd, mx.nd.concat(x, -1e30 * ones, dim=1)).asnumpy()
        broken = fast.logistic_gate(mx.nd, ones, x * np.nan).asnumpy(), fast.softmax(mx.nd, x * np.nan).asnumpy()
        values = [function(mx.nd, x).asnumpy() for function in (fast.swish, fast.hard_swish)]
        broken += tuple(function(mx.nd, x * np.nan).asnumpy() for function in (fast.swish, fast.hard_swish))
    np.testing.assert_allclose(gate, x.sigmoid().asnumpy(), rtol=1e-6, atol=1e-37)
    np.testing.assert_allclose(share, [[0] * 10 + [1] + [0] * 11], atol=1e-37)
    wanted = x * x.sigmoid(), x * (x / 6 + 0.5).clip(0, 1)
    for got, reference in zip(values, wanted, strict=True):
        np.testing.assert_allclose(got, reference.asnumpy(), rtol=1e-6, atol=1e-34)
    assert all(np.isnan(part).all() for part in broken)


@needs_compiler
def test_other_types_are_refused_not_misread():
    half = mx.nd.ones((1, 2, 3, 3), dtype="float16")
    with kernels.compiled_operators(), pytest.raises(mx.MXNetError):
        fast.global_avg(mx.nd, half).wait_to_read()


@needs_compiler
def test_plain_operators_win_so_that_exports_hold_no_compiled_one():
    with kernels.compiled_operators(), fast.plain_operators():
        symbol = get_attention("cbam", 16)(mx.sym.var("data"))
    assert "gluon_attn_" not in symbol.tojson()
    assert not uses_kernels(get_attention("identity", 16), 1)


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """The module as in a process that has not asked yet, with its own cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kernels, "problem", functools.cache(kernels.problem.__wrapped__))
    return monkeypatch


def test_without_a_compiler_nothing_changes(fresh):
    fresh.setenv("CXX", "no-such-compiler")
    assert "no C++ compiler" in kernels.problem()
    with kernels.compiled_operators():
        assert not kernels.active()


def test_a_compiler_that_fails_is_reported_in_a_line(fresh, tmp_path):
    broken = tmp_path / "broken"
    broken.write_text('#!/bin/sh\nif [ "$1" = --version ]; then echo 1; else echo "no way" >&2; exit 1; fi\n')
    broken.chmod(0o755)
    fresh.setenv("CXX", str(broken))
    assert kernels.problem() == f"{broken} failed: no way"
    assert list((tmp_path / "gluon_attn").iterdir()) == []


def test_an_unwritable_cache_is_gone_round(fresh, tmp_path):
    (tmp_path / "file").touch()
    fresh.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    fresh.setenv("TMPDIR", str(tmp_path))
    fresh.setattr(kernels.tempfile, "tempdir", None)
    assert kernels.folder() == tmp_path / f"gluon_attn-{os.getuid()}"
