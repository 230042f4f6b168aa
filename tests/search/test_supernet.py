"""Supernets: mixtures by hand, mixing weights that learn, graphs that are traced once."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.nn.cell_ops import Skip, Zero
from gluon_attn.search.darts.attention_supernet import AttentionSupernet
from gluon_attn.search.darts.cell_supernet import CellSupernet
from gluon_attn.search.darts.mixed_op import Mixture

SMALL = {"channels": 4, "layers": 3, "nodes": 2, "operations": ("none", "skip_connect", "max_pool_3x3")}


def supernets():
    choices = ("Identity", "SE")
    yield CellSupernet(location="after_every_and_end", attentions=choices, input_size=8, **SMALL)
    yield CellSupernet(location="double_mixed", attentions=choices, input_size=8, **SMALL)
    yield AttentionSupernet(blocks=1)


def trained(net, x):
    with mx.autograd.record():
        loss = (net(x) ** 2).sum()
    loss.backward()
    return loss.asscalar()


@pytest.mark.parametrize("hybrid", [False, True])
def test_a_mixture_by_hand(hybrid):
    mixture = Mixture()
    mixture.add(Zero(), Skip(), mx.gluon.nn.AvgPool2D(3, 1, 1, count_include_pad=False))
    mixture.hybridize(hybrid)
    x, weights = mx.nd.random.uniform(shape=(2, 3, 4, 4)), mx.nd.array([[0.5, 2.0, 3.0]])
    weights.attach_grad()
    pooled = mixture[2](x)
    with mx.autograd.record():
        y = mixture(x, weights)
    y.backward()
    assert np.allclose(y.asnumpy(), (2 * x + 3 * pooled).asnumpy(), atol=1e-6)
    sums = [0, x.sum().asscalar(), pooled.sum().asscalar()]
    assert np.allclose(weights.grad.asnumpy(), [sums], rtol=1e-5)


@pytest.mark.parametrize("net", supernets(), ids=["all places", "double", "attention"])
def test_every_mixing_weight_has_a_gradient(net):
    net.initialize(mx.init.Xavier())
    assert all(abs(p.data().asnumpy()).max() < 0.01 for p in net.arch_parameters().values())
    x = mx.nd.random.uniform(shape=(2, 3, 8, 8))
    plain = trained(net, x)
    gradients = {name: p.grad().asnumpy() for name, p in net.arch_parameters().items()}
    assert all(np.isfinite(g).all() and g.any() for g in gradients.values())
    net.hybridize(static_alloc=True)
    assert np.isclose(trained(net, x), plain, rtol=1e-4)
    for name, p in net.arch_parameters().items():
        assert np.allclose(p.grad().asnumpy(), gradients[name], atol=1e-4 * abs(gradients[name]).max() + 1e-7)


def test_new_weights_need_no_new_trace(monkeypatch):
    net = CellSupernet(location="end", attentions=("Identity", "SE"), input_size=8, **SMALL)
    net.initialize(mx.init.Xavier())
    net.hybridize(static_alloc=True)
    x = mx.nd.random.uniform(shape=(2, 3, 8, 8))
    first = trained(net, x)
    monkeypatch.setattr(CellSupernet, "hybrid_forward", lambda *_, **__: pytest.fail("traced again"))
    for param in net.arch_parameters().values():
        param.data()[:] = mx.nd.random.normal(shape=param.shape)
    assert trained(net, x) != first
