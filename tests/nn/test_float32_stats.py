"""Statistics in float32: dtypes, values, and what overflows in half precision."""

import json

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon, nd

from gluon_attn import get_attention
from gluon_attn.nn import fast, float32_stats

each_dtype = pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])


class There(float32_stats.InFloat32, gluon.HybridBlock):
    """Widens and narrows."""

    def hybrid_forward(self, F, x):
        wide = self.widen(F, x)
        return wide, self.narrow(F, wide * 2)


@each_dtype
@pytest.mark.parametrize("hybrid", [False, True], ids=["imperative", "hybrid"])
def test_wide_is_float32_at_least_and_narrow_goes_back(dtype, hybrid):
    outer = gluon.nn.HybridSequential()
    outer.add(There())
    outer.cast(dtype)  # the block hears of it from its parent
    outer.hybridize(hybrid)
    x = nd.array(np.random.normal(size=(2, 3, 4, 5)), dtype=dtype)
    x.attach_grad()
    with autograd.record():
        wide, back = outer(x)
    back.backward(x)
    assert wide.dtype == (np.float64 if dtype == "float64" else np.float32)
    assert np.array_equal(wide.asnumpy(), x.asnumpy().astype(wide.dtype))
    assert back.dtype == np.dtype(dtype)
    assert np.array_equal(back.asnumpy(), 2 * x.asnumpy())
    assert np.array_equal(x.grad.asnumpy(), 2 * x.asnumpy())


def test_nothing_is_cast_in_a_plain_graph():
    block = There()
    block.cast("float16")
    with fast.plain_operators():
        assert "ast" not in "".join(node["op"] for node in json.loads(block(mx.sym.var("x"))[1].tojson())["nodes"])


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 1, 1, 1), (3, 2, 1, 7)], ids=str)
def test_values(shape):
    x = np.random.normal(3, 1, size=shape).astype("float32")
    assert float32_stats.area(nd, nd.array(x)).asnumpy().ravel() == [shape[2] * shape[3]]
    mean, rest = (part.asnumpy() for part in float32_stats.centered(nd, nd.array(x)))
    np.testing.assert_allclose(mean, x.mean((2, 3), keepdims=True), rtol=1e-6)
    np.testing.assert_allclose(rest, x - x.mean((2, 3), keepdims=True), atol=2e-6)
    norm = np.sqrt((x.astype("float64") ** 2).sum((2, 3), keepdims=True) + 0.5)
    np.testing.assert_allclose(There().l2_norm(nd, nd.array(x), 0.5).asnumpy(), norm, rtol=1e-6)


def test_a_line_is_as_long_as_its_axis():
    x = mx.nd.arange(120).reshape((2, 3, 4, 5)).astype("float64")
    assert [float32_stats.axis_line(mx.nd, x, axis).asnumpy().tolist() for axis in range(4)] == [
        [0, 60], [0, 20, 40], [0, 5, 10, 15], [0, 1, 2, 3, 4],
    ]  # fmt: skip
    assert float32_stats.axis_line(mx.nd, x, 2).dtype == np.float32


@pytest.mark.parametrize("name", ["simam", "shuffle"])
@pytest.mark.parametrize("hybrid", [False, True], ids=["imperative", "hybrid"])
def test_float16_survives_squares_that_it_cannot_hold(name, hybrid):
    """Maps of thousands: the squares are millions, where float16 ends at 65504."""
    block = get_attention(name, 16)
    block.initialize(mx.init.Xavier())
    x = nd.random.normal(0, 2000, (2, 16, 6, 5)).astype("float16")
    wanted = block(x.astype("float32")).asnumpy()
    block.cast("float16")
    block.hybridize(hybrid)
    x.attach_grad()
    with autograd.record(train_mode=False):
        y = block(x)
    y.backward()
    assert y.dtype == np.float16
    assert np.isfinite(x.grad.asnumpy()).all()
    assert np.abs(y.asnumpy() - wanted).max() <= 0.01 * np.abs(wanted).max()


@pytest.mark.parametrize("name", ["coord", "gc", "gca", "gct", "grn", "shuffle", "simam", "srm"])
def test_statistics_of_a_float16_block_are_float32(name):
    """Read from the graph, since MXNet has no float16 matrix product on a CPU to run it."""
    block = get_attention(name, 16)
    block.cast("float16")
    graph = block(mx.sym.var("data")).get_internals()
    operators = {node["name"]: node["op"] for node in json.loads(graph.tojson())["nodes"]}
    dtypes = dict(zip(graph.list_outputs(), graph.infer_type(data=np.float16)[1], strict=True))
    kinds = {"square", "sqrt", "mean", "softmax", "sum", "_power_scalar"}
    found = {output: dtype for output, dtype in dtypes.items() if operators.get(output[:-7]) in kinds}
    assert found
    assert {output for output, dtype in found.items() if dtype != np.float32} == set()
    assert graph.infer_type(data=np.float16)[1][-1] == np.float16
