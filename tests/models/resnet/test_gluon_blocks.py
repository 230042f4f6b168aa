"""Residual blocks with GluonCV's parameter names, layer by layer, and dropout inside them."""

import mxnet as mx
import numpy as np
import pytest
from model_checks import blocks_of, initialized

from gluon_attn import Plan, get_model


def test_a_version_2_block_by_hand():
    """Shortcut from the raw input; norm, activation, convolution, twice; attention before the addition."""
    net = initialized("cifar_resnet20_v2", 10, plan=Plan([{"name": "eca"}, {"slot": "act", "name": "elu"}]))
    block = blocks_of(net)[3]
    x = mx.nd.random.normal(shape=(2, 16, 8, 8))
    branch = block.conv2(block.act2(block.bn2(block.conv1(block.act1(block.bn1(x))))))
    assert (block(x).asnumpy() == (block.downsample(x) + block.post(branch)).asnumpy()).all()
    assert block(x).shape == (2, 32, 4, 4)


def test_a_version_1_block_by_hand():
    """Attention before the addition; the ReLU after it stays, whatever the activation inside."""
    net = initialized("cifar_resnet20_v1", 10, plan=Plan([{"name": "eca"}, {"slot": "act", "name": "elu"}]))
    block = blocks_of(net)[3]
    x = mx.nd.random.normal(shape=(2, 16, 8, 8))
    wanted = (block.downsample(x) + block.post(block.body(x))).relu()
    assert (block(x).asnumpy() == wanted.asnumpy()).all()
    assert "ELU" in repr(block.body)


@pytest.mark.parametrize("name", ["cifar_resnet20_v1", "cifar_resnet20_v2", "atac"])
def test_dropout_acts_in_training_only(name):
    net = get_model(name, 10, drop_rate=0.5)
    net.initialize(mx.init.Xavier())
    x = mx.nd.random.normal(shape=(4, 3, 8, 8))

    def outputs(train):
        with mx.autograd.record(train_mode=train):
            return net(x).asnumpy()

    assert (outputs(False) == outputs(False)).all()
    assert np.abs(outputs(True) - outputs(True)).max() > 1e-3
    plain = get_model(name, 10)
    plain.initialize()
    for own, other in zip(plain.collect_params().values(), net.collect_params().values(), strict=True):
        own.set_data(other.data())
    assert (plain(x).asnumpy() == net(x).asnumpy()).all()


def test_one_dropout_a_block():
    for name in ("cifar_resnet20_v1", "cifar_resnet20_v2", "cifar_resnet164_v1", "cifar_resnet164_v2"):
        assert repr(get_model(name, drop_rate=0.1)).count("Dropout(") == (9 if "20" in name else 54)
        assert "Dropout" not in repr(get_model(name))


def test_without_last_gamma_blocks_do_something():
    net = initialized("cifar_resnet20_v1", 10)
    x = mx.nd.random.normal(shape=(2, 16, 8, 8))
    assert np.abs((net.features[2][0](x) - x.relu()).asnumpy()).max() > 0.1
