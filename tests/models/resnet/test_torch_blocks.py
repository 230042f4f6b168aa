"""Residual blocks with PyTorch's parameter names, layer by layer."""

import mxnet as mx
import numpy as np
import pytest
from model_checks import initialized
from mxnet.gluon import nn

from gluon_attn import Plan, get_model
from gluon_attn.models.resnet.torch_blocks import PaddedShortcut


@pytest.mark.parametrize("name", ["resnet18_v1b", "resnet50_v1b", "resnet50_v1d"])
def test_a_block_by_hand(name):
    """Attention before the addition; the ReLU after it stays, whatever the activation inside."""
    net = initialized(name, plan=Plan([{"name": "eca"}, {"slot": "act", "name": "elu"}]))
    block = net.layer2[0]
    x = mx.nd.random.normal(shape=(2, 64 if "18" in name else 256, 9, 8))
    y = block.relu1(block.bn1(block.conv1(x)))
    y = block.bn2(block.conv2(y))
    if "50" in name:
        y = block.bn3(block.conv3(block.relu2(y)))
    wanted = (block.downsample(x) + block.post(y)).relu()
    assert (block(x).asnumpy() == wanted.asnumpy()).all()
    assert block(x).shape == (2, 128 if "18" in name else 512, 5, 4)
    assert isinstance(block.relu1, nn.ELU)
    assert len(block.downsample) == (3 if name.endswith("d") else 2)


def test_option_a_has_no_weights_in_its_shortcuts():
    assert not [n for n in get_model("cifar_resnet110_a")._collect_params_with_prefix() if "downsample" in n]


def test_a_padded_shortcut_by_hand():
    x = mx.nd.random.normal(shape=(2, 4, 7, 6))
    x.attach_grad()
    with mx.autograd.record():
        y = PaddedShortcut(2)(x)
    y.backward()
    wanted = np.pad(x.asnumpy()[:, :, ::2, ::2], ((0, 0), (2, 2), (0, 0), (0, 0)))
    assert (y.asnumpy() == wanted).all()
    taken = np.zeros((7, 6))
    taken[::2, ::2] = 1
    assert (x.grad.asnumpy() == taken).all()
