"""Search networks: gradients of the architecture parameters, one graph for all their values."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.search.darts.attention_supernet import AttentionSupernet
from gluon_attn.search.darts.cell_supernet import CellSupernet

SMALL = {"channels": 4, "layers": 3, "nodes": 2, "operations": ("none", "skip_connect", "max_pool_3x3")}


def supernets():
    attentions = ("Identity", "SE")
    yield CellSupernet(location="after_every_and_end", attentions=attentions, input_size=8, **SMALL)
    yield CellSupernet(location="double_mixed", attentions=attentions, input_size=8, **SMALL)
    yield AttentionSupernet(blocks=1, nodes=2)


def trained(net, x):
    with mx.autograd.record():
        loss = (net(x) ** 2).sum()
    loss.backward()
    return loss.asscalar()


@pytest.mark.parametrize("net", supernets(), ids=["after every and end", "double mixed", "attention"])
def test_every_architecture_parameter_has_a_gradient(net):
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


def test_new_architecture_parameters_need_no_new_graph(monkeypatch):
    net = CellSupernet(location="end", attentions=("Identity", "SE"), input_size=8, **SMALL)
    net.initialize(mx.init.Xavier())
    net.hybridize(static_alloc=True)
    x = mx.nd.random.uniform(shape=(2, 3, 8, 8))
    first = trained(net, x)
    monkeypatch.setattr(CellSupernet, "hybrid_forward", lambda *_, **__: pytest.fail("traced again"))
    for param in net.arch_parameters().values():
        param.data()[:] = mx.nd.random.normal(shape=param.shape)
    assert trained(net, x) != first
