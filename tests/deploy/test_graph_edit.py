import mxnet as mx
import numpy as np
import pytest
from graphs import distance, inputs, operators
from networks import network

from gluon_attn.deploy import graph_edit, symbol
from gluon_attn.deploy.graph import trace


@pytest.mark.parametrize(
    ("name", "options", "left"),
    [("cifar_resnet20_v1", {"attention": "se"}, 0), ("cifar_resnet20_v2", {}, 11)],  # of 20, each block's second
)
def test_norms_behind_convolutions_are_folded(name, options, left):
    net, card = network(name, **options)
    x = inputs(card)
    expected = net(mx.nd.array(x)).asnumpy()
    graph = trace(net, card, plain=True)
    before = {key: value.asnumpy() for key, value in graph.args.items()}
    folded = graph_edit.fold_norms(graph)
    assert operators(folded).count("BatchNorm") == left
    assert distance(folded, x, expected) <= 2e-5
    assert all(np.array_equal(value.asnumpy(), before[key]) for key, value in graph.args.items())
    layers = graph_edit.norms_as_convolutions(folded)
    assert "BatchNorm" not in operators(layers)
    assert not layers.aux
    assert distance(layers, x, expected) <= 2e-5


@pytest.mark.parametrize("twice", [False, True])
def test_a_bias_is_folded_and_a_convolution_that_others_read_is_not(twice):
    card = network("atac_cifar_resnet", blocks=1, act_type="relu")[1].replace(classes=4)
    net = Biased(twice)
    net.initialize(mx.init.Normal(0.5))
    net.conv.bias.set_data(mx.nd.array([1, -2, 3, -4]))
    net.norm.running_mean.set_data(mx.nd.array([0.5, 1, -1, 2]))
    net.norm.running_var.set_data(mx.nd.array([0.5, 1, 2, 3]))
    x = inputs(card)
    expected = net(mx.nd.array(x)).asnumpy()
    folded = graph_edit.fold_norms(trace(net, card))
    assert operators(folded).count("BatchNorm") == int(twice)
    assert distance(folded, x, expected) <= 1e-5


class Biased(mx.gluon.HybridBlock):
    """A convolution with a bias, a norm; twice: the sum of both."""

    def __init__(self, twice):
        super().__init__()
        self.twice = twice
        with self.name_scope():
            self.conv = mx.gluon.nn.Conv2D(4, 3, in_channels=3)
            self.norm = mx.gluon.nn.BatchNorm(in_channels=4)

    def hybrid_forward(self, F, x):
        y = self.conv(x)
        return F.mean(self.norm(y) + y if self.twice else self.norm(y), axis=(2, 3))


def test_halved_weights_are_read_back(tmp_path):
    net, card = network("cifar_resnet20_v1", attention="eca")
    x = inputs(card)
    expected = net(mx.nd.array(x)).asnumpy()
    graph = graph_edit.float16_weights(trace(net, card))
    kinds = {value.dtype for value in graph.args.values() if value.ndim > 1}
    assert kinds == {np.float16}
    path = symbol.write_symbol(graph, tmp_path / "net")
    assert 1e-6 < distance(symbol.read_symbol(path), x, expected) < 1e-2
