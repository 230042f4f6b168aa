"""Residual blocks with PyTorch's parameter names, layer by layer."""

import mxnet as mx
import numpy as np
import pytest
from model_checks import initialized
from mxnet.gluon import nn

from gluon_attn import Plan, get_model
from gluon_attn.models.resnet.torch_blocks import PaddedShortcut
from gluon_attn.utils.errors import UserError


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


@pytest.mark.parametrize(
    ("options", "inside"), [({"groups": 8, "base_width": 4}, 32), ({"base_width": 128}, 128), ({"base_width": 40}, 40)]
)
def test_groups_and_base_width(options, inside):
    """torchvision's meaning: int(width * base_width / 64) * groups channels inside."""
    block = get_model("resnet50_v1b", 10, **options).layer1[1]
    groups = options.get("groups", 1)
    assert block.conv1.weight.shape == (inside, 256, 1, 1)
    assert block.conv2.weight.shape == (inside, inside // groups, 3, 3)
    assert block.conv3.weight.shape == (256, inside, 1, 1)


def test_half_the_channels_before_a_grouped_convolution():
    net = get_model("resnet50_v1b", 10, groups=8, base_width=16, reduce_first=2, shortcut_kernel=3)
    assert net.layer2[0].conv2.weight.shape == (256, 16, 3, 3)
    assert net.layer1[0].downsample[0].weight.shape == (256, 64, 1, 1)
    assert net.layer2[0].downsample[0].weight.shape == (512, 256, 3, 3)
    with pytest.raises(UserError, match="split keeps the number of channels: it cannot replace a convolution from 64"):
        get_model("resnet50_v1b", groups=8, base_width=16, reduce_first=2, attention="split")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "resnet18_v1b", "groups": 2}, "reduce_first are for bottlenecks: a basic block has no groups"),
        ({"base_width": 0}, "base_width must be"),
        ({"groups": 1.5}, "groups must be"),
        ({"groups": 32, "widths": [8] * 4, "base_width": 4}, "base_width 4 is too small for a stage of width 8"),
        ({"groups": 8, "base_width": 4, "reduce_first": 3}, "groups=8 do not divide 32/3 channels"),
    ],
)
def test_inner_widths_that_do_not_fit(options, message):
    with pytest.raises(UserError, match=message):
        get_model(**{"name": "resnet50_v1b", **options})


def test_attention_in_place_of_a_grouped_convolution_has_its_own_groups():
    net = get_model("resnet50_v1b", 10, groups=32, base_width=4, attention={"name": "sk", "groups": 16})
    assert net.layer1[0].conv2.branches[0][0].weight.shape[:2] == (128, 8)
