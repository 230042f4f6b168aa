"""Compiled operators on feature maps in bfloat16: numbers, types, and what happens where MXNet's file is another."""

import functools
from types import SimpleNamespace

import mxnet as mx
import numpy as np
import pytest
from mxnet.contrib import amp

from gluon_attn.engine.joined_activations import join_activations
from gluon_attn.nn import kernels
from gluon_attn.nn.norm import compiled_batch_norm

NEAREST = 2**-8  # half of the last of bfloat16's eight bits; 1e-5 more for sums in float32
HALF, SINGLE = "bfloat16", "float32"

pytestmark = pytest.mark.skipif(not kernels.take_bfloat16(), reason="the operators take no bfloat16 here")


def gate(x, logits):
    return mx.sym.gluon_attn_sigmoid_gate(x, logits)


def norm(x, gamma, beta):
    running = (mx.sym.var(name, shape=(6,), dtype=SINGLE) for name in ("running_mean", "running_var"))
    return compiled_batch_norm(mx.sym, x, gamma, beta, *running, fix_gamma=False, momentum=0.9, eps=1e-5)


def norm_and_relu(x, gamma, beta):
    return join_activations(mx.sym.relu(norm(x, gamma, beta)))


def block_end(x, gamma, beta, shortcut):
    return join_activations(mx.sym.relu(norm(x, gamma, beta) + shortcut))


CASES = {
    "gate": (gate, [(3, 6, 5, 7), (3, 6, 5, 7)], [HALF, HALF]),
    "gate_of_wide_logits": (gate, [(3, 6, 35, 37), (3, 6, 35, 37)], [HALF, SINGLE]),
    "norm": (norm, [(3, 6, 5, 7), (6,), (6,)], [HALF, SINGLE, SINGLE]),
    "norm_and_relu": (norm_and_relu, [(3, 6, 5, 7), (6,), (6,)], [HALF, SINGLE, SINGLE]),
    "block_end": (block_end, [(3, 6, 5, 7), (6,), (6,), (3, 6, 5, 7)], [HALF, SINGLE, SINGLE, HALF]),
    "norm_of_many_pixels": (norm, [(3, 6, 35, 37), (6,), (6,)], [HALF, SINGLE, SINGLE]),
}


def cast(symbol, dtype):
    """MXNet's Python does not know the name bfloat16."""
    return mx.sym.amp_cast(symbol, dtype=amp.amp.bfloat16 if dtype == HALF else dtype)


def rounded(shape, seed):
    """Random numbers that bfloat16 holds exactly."""
    values = np.random.RandomState(seed).normal(size=shape).astype(SINGLE)
    return mx.nd.array((values.view(np.uint32) & 0xFFFF0000).view(np.float32))


def passed(function, arrays, dtypes):
    """Output, gradients and running statistics; arrays and results are in float32, the operator in `dtypes`."""
    names = [f"x{i}" for i, _ in enumerate(arrays)]
    y = cast(function(*(cast(mx.sym.var(name), dtype) for name, dtype in zip(names, dtypes, strict=True))), SINGLE)
    args = dict(zip(names, arrays, strict=True))
    grads = {name: mx.nd.zeros_like(array) for name, array in args.items()}
    aux = {name: mx.nd.ones((6,)) for name in y.list_auxiliary_states()}
    bound = y.bind(mx.cpu(), args, grads, aux_states=aux)
    out = bound.forward(is_train=True)[0]
    bound.backward(rounded(out.shape, seed=9))
    return [array.asnumpy() for array in (out, *grads.values(), *aux.values())]


@pytest.mark.parametrize("case", CASES)
def test_maps_are_rounded_once_and_the_rest_is_that_of_float32(case):
    function, shapes, dtypes = CASES[case]
    arrays = [rounded(shape, seed) for seed, shape in enumerate(shapes)]
    found = passed(function, arrays, dtypes)
    wanted = passed(function, arrays, [SINGLE] * len(arrays))
    in_half = [True, *(dtype == HALF for dtype in dtypes), *[False] * (len(found) - len(dtypes) - 1)]
    for a, b, half in zip(found, wanted, in_half, strict=True):
        # the last term: sums of float32 in another order, where they cancel
        assert (abs(a - b) <= (NEAREST if half else 0) * abs(b) + 1e-5 * (abs(b) + abs(b).max())).all()
    assert any(half and (a != b).any() for a, b, half in zip(found, wanted, in_half, strict=True))


@pytest.mark.parametrize("dtype", [HALF, SINGLE])
def test_a_fork_gives_two_copies_and_adds_their_gradients(dtype):
    first, second = mx.sym.gluon_attn_fork(cast(mx.sym.var("x"), dtype))
    both = mx.sym.Group([cast(first, SINGLE), cast(second, SINGLE)])
    x, *grads = (rounded((3, 5, 7, 9), seed) for seed in range(3))
    bound = both.bind(mx.cpu(), {"x": x}, {"x": mx.nd.zeros_like(x)})
    for copy in bound.forward(is_train=True):
        np.testing.assert_array_equal(copy.asnumpy(), x.asnumpy())
    bound.backward(grads)
    total = sum(grads).asnumpy()
    np.testing.assert_allclose(bound.grad_dict["x"].asnumpy(), total, rtol=NEAREST if dtype == HALF else 0)


def test_what_is_no_number_stays_so():
    x = mx.nd.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 3e38, -3e38, 1e-30])
    found = passed(gate, [x, 80 * mx.nd.ones_like(x)], [HALF, SINGLE])[0]  # the gate is 1
    np.testing.assert_allclose(found, x.asnumpy(), rtol=NEAREST)
    assert np.signbit(found[4])


@pytest.mark.parametrize("value", [1 + 2**-8, 1 + 3 * 2**-8])
def test_ties_go_to_the_even_neighbor(value):
    """Of the shift of a norm whose input is constant, which comes out as it is."""
    x = mx.nd.ones((2, 6, 3, 3))
    found = passed(norm, [x, mx.nd.ones((6,)), value * mx.nd.ones((6,))], [HALF, SINGLE, SINGLE])[0]
    assert (found == {1 + 2**-8: 1, 1 + 3 * 2**-8: 1 + 2**-6}[value]).all()


@pytest.mark.parametrize(
    ("function", "dtypes", "fits"),
    [
        (gate, [HALF, HALF], True),
        (gate, [HALF, SINGLE], True),
        (gate, [SINGLE, HALF], False),
        (gate, [HALF, "float64"], False),
        (norm, [HALF, SINGLE, SINGLE], True),
        (norm, ["float64", SINGLE, SINGLE], False),
        (norm, [HALF, HALF, HALF], False),
        (norm, [HALF, "float64", "float64"], False),
        (lambda x: mx.sym.gluon_attn_batch_stats(x), ["float16"], False),
        (lambda x, w: mx.sym.gluon_attn_gate(x, w), [HALF, SINGLE], False),
        (lambda x: mx.sym.gluon_attn_mean(x, first_axis=1, last_axis=1), [HALF], False),
    ],
)
def test_types_that_fit_are_inferred_and_others_refused(function, dtypes, fits):
    y = function(*(cast(mx.sym.var(f"x{i}"), dtype) for i, dtype in enumerate(dtypes)))
    given = {f"x{i}": SINGLE for i, _ in enumerate(dtypes)}
    if not fits:
        with pytest.raises(mx.MXNetError):
            y.infer_type(**given)
        return
    assert [np.dtype(dtype).itemsize for dtype in y.infer_type(**given)[1]] == [2]


@pytest.mark.parametrize("case", ["what no file holds", "\n"])
def test_an_unknown_file_of_mxnet_stays_as_it_is_in_a_library_of_its_own(case, monkeypatch):
    key = kernels._key("g++")
    monkeypatch.setattr(kernels, "_interface", kernels._interface.__wrapped__)
    monkeypatch.setattr(kernels, "_INT64_CASE", case)
    assert kernels._BFLOAT16_MARK not in kernels._interface()
    assert kernels._key("g++") != key


def test_with_a_library_of_the_unchanged_file_nothing_is_in_bfloat16(monkeypatch, caplog):
    """The file may be known by now: what counts is the library that MXNet has loaded."""
    monkeypatch.setattr(kernels, "_loaded", [SimpleNamespace()])
    monkeypatch.setattr(kernels, "take_bfloat16", functools.cache(kernels.take_bfloat16.__wrapped__))
    assert not kernels.take_bfloat16()
    assert "compute in float32 only" in caplog.text
