import mxnet as mx
import pytest
from graphs import distance, inputs
from networks import network

from gluon_attn.deploy import graph_edit, precision, symbol
from gluon_attn.deploy.graph import trace


@pytest.mark.parametrize(
    ("name", "options"),
    [("cifar_resnet20_v1", {"attention": "se"}), ("darts_cifar", {"layers": 3, "channels": 4})],  # this concatenates
)
def test_bfloat16_survives_the_file(tmp_path, name, options):
    net, card = network(name, **options)
    x = inputs(card)
    expected = net(mx.nd.array(x)).asnumpy()
    path = symbol.write_symbol(precision.to_bfloat16(trace(net, card)), tmp_path / "net")
    assert "amp_cast" in path.read_text()
    assert 1e-4 < distance(symbol.read_symbol(path), x, expected) < 0.1


@pytest.mark.slow
def test_entropy_calibration():
    net, card = network("atac_cifar_resnet", blocks=1, act_type="relu")
    x = inputs(card, 16)
    expected = net(mx.nd.array(x)).asnumpy()
    graph = graph_edit.norms_as_convolutions(graph_edit.fold_norms(trace(net, card, plain=True)))
    assert 1e-4 < distance(precision.to_int8(graph, x, "entropy"), x, expected) < 0.3
