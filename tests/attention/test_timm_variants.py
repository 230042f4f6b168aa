"""Self-attention as timm has it, against the paper's form and against the formula; PSA with other kernels."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_attention
from gluon_attn.utils.errors import UserError


def made(name, channels, **options):
    module = get_attention(name, channels, **options)
    module.initialize(mx.init.Normal(0.5))
    module(mx.nd.zeros((1, channels, 8, 8)))
    return module


def copy(source, target):
    """Give a parameter the values of others, joined."""
    target.set_data(mx.nd.concat(*[param.data() for param in source], dim=0))


def test_bot_scales_the_products_with_the_keys_alone():
    paper, timm = made("bot", 8, spatial=8), made("bot", 8, spatial=8, variant="timm")
    own, other = paper.attention, timm.attention
    copy([own.query.weight, own.key.weight, own.value.weight], other.qkv.weight)
    for name in ("rows", "columns"):  # of the heads' width 2
        getattr(other, name).set_data(getattr(own, name).data() * 2**-0.5)
    x = mx.nd.random.normal(shape=(2, 8, 8, 8))
    np.testing.assert_allclose(timm(x).asnumpy(), paper(x).asnumpy(), rtol=1e-4, atol=1e-5)


def test_lambda_has_one_convolution_and_a_bias():
    options = {"keys": 4, "kernel_size": 3}
    paper, timm = made("lambda", 8, **options), made("lambda", 8, variant="timm", **options)
    copy([paper.query[0].weight, paper.key.weight, paper.value[0].weight], timm.qkv.weight)
    copy([paper.position.weight], timm.position.weight)
    x = mx.nd.random.normal(shape=(2, 8, 8, 8))
    np.testing.assert_allclose(timm(x).asnumpy(), paper(x).asnumpy(), rtol=1e-4, atol=1e-5)
    timm.position.bias.set_data(mx.nd.ones(4))
    assert np.abs((timm(x) - paper(x)).asnumpy()).max() > 0.1


@pytest.mark.parametrize("stride", [1, 2])
def test_halo_by_the_formula(stride):
    """Zeros outside count; offsets are counted in queries."""
    channels, heads, block, halo, size = 8, 2, 4, 1, 8
    module = made("halo", channels, heads=heads, block=block, halo=halo, stride=stride, variant="timm")
    x = np.random.standard_normal((1, channels, size, size)).astype("float32")
    width, window, side = channels // heads, block + 2 * halo, block // stride
    q = np.einsum("oc,chw->ohw", module.query.weight.data().asnumpy()[:, :, 0, 0], x[0, :, ::stride, ::stride])
    both = np.einsum("oc,chw->ohw", module.both.weight.data().asnumpy()[:, :, 0, 0], x[0])
    both = np.pad(both, ((0, 0), (halo, halo), (halo, halo))).reshape(heads, 2, width, size + 2 * halo, -1)
    rows, columns = module.rows.data().asnumpy(), module.columns.data().asnumpy()
    assert rows.shape == (2 * window - 1, width)
    wanted = np.zeros((channels, size // stride, size // stride))
    for head in range(heads):
        for i, j in np.ndindex(size // stride, size // stride):
            top, left = i // side * block, j // side * block
            k, v = both[head, :, :, top : top + window, left : left + window]
            own = q[head * width : (head + 1) * width, i, j]
            row = rows[window - 1 - i % side : 2 * window - 1 - i % side] @ own
            column = columns[window - 1 - j % side : 2 * window - 1 - j % side] @ own
            logits = np.einsum("d,dhw->hw", own, k) * width**-0.5 + row[:, None] + column[None]
            weights = np.exp(logits - logits.max())
            wanted[head * width : (head + 1) * width, i, j] = np.einsum("hw,dhw->d", weights / weights.sum(), v)
    np.testing.assert_allclose(module(mx.nd.array(x)).asnumpy()[0], wanted, rtol=1e-4, atol=1e-5)


def test_psa_with_other_kernels_and_groups():
    module = made("psa", 64, kernels=[3, 5, 5, 7], groups=[16] * 4)
    assert [conv.weight.shape for conv in module.pyramid] == [(16, 4, k, k) for k in (3, 5, 5, 7)]
    with pytest.raises(UserError, match="kernels must be"):
        get_attention("psa", 64, kernels=[3, 5, 4, 7])
    with pytest.raises(UserError, match="groups must list 4 whole numbers, one per part"):
        get_attention("psa", 64, groups=[1, 4])


@pytest.mark.parametrize("name", ["bot", "halo", "lambda"])
def test_a_wrong_variant(name):
    with pytest.raises(UserError, match="variant"):
        get_attention(name, 8, variant="best", **({"spatial": 8} if name == "bot" else {}))
