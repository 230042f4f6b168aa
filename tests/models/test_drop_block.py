"""DropBlock in ResNets: where it is, that it trains, what is refused."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_model
from gluon_attn.config.model import ModelConfig
from gluon_attn.engine.precision import low_precision
from gluon_attn.models.build import build
from gluon_attn.utils.errors import UserError


def test_it_follows_each_norm_of_the_last_two_stages():
    net = get_model("resnet50_v1b", 10, dropblock_prob=0.1)
    first, second = (f"conv{i} bn{i} drop_block{i} relu{i}" for i in (1, 2))
    order = f"{first} {second} conv3 bn3 drop_block3".split()
    assert net.layer3[0]._order == net.layer4[2]._order == order
    assert net.layer2[0]._order == [name for name in order if "drop" not in name]
    assert net.layer3[0].drop_block1.rate == 0.1
    names = set(get_model("resnet50_v1b", 10)._collect_params_with_prefix())
    assert set(net._collect_params_with_prefix()) == names


def test_it_follows_what_is_in_place_of_a_convolution():
    net = get_model("resnet50_v1b", 10, attention="split", dropblock_prob=0.1)
    order = net.layer3[0]._order
    assert order[order.index("conv2") + 1] == "drop_block2"
    assert "bn2" not in order


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_it_trains_and_evaluates_in_a_graph(dtype):
    net = build(ModelConfig(model="resnet18_v1b", dropblock_prob=0.3), 4, 32)
    assert net.recipe["options"] == {"dropblock_prob": 0.3, "input_size": 32}
    net.initialize(mx.init.MSRAPrelu())
    plain = get_model("resnet18_v1b", 4, input_size=32)
    plain.initialize()
    x = mx.nd.random.normal(shape=(4, 3, 32, 32))
    for one in (net, plain):
        one(x)
    for name, param in plain._collect_params_with_prefix().items():
        param.set_data(net._collect_params_with_prefix()[name].data())
    form = low_precision(net, dtype) if dtype == "bfloat16" else net
    form.hybridize()
    if dtype == "float32":
        np.testing.assert_allclose(form(x).asnumpy(), plain(x).asnumpy(), rtol=1e-4, atol=1e-5)
    with mx.autograd.record():
        first, second = form(x), form(x)
        loss = (first**2).sum()
    loss.backward()
    assert (first != second).sum().asscalar() > 0
    assert abs(net.layer1[0].conv1.weight.grad()).max().asscalar() > 0


@pytest.mark.parametrize("name", ["mobilenet_v2", "cifar_resnet20_v1"])
def test_other_networks_refuse_it(name):
    with pytest.raises(UserError, match="dropblock_prob is for ResNets with PyTorch's parameter names"):
        get_model(name, 10, dropblock_prob=0.1)


def test_a_wrong_value():
    with pytest.raises(UserError, match="dropblock_prob must be from 0 to below 1, got 1"):
        get_model("resnet18_v1b", 10, dropblock_prob=1)
