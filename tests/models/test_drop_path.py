"""Stochastic depth in residual networks: rates by depth, what is dropped, the same numbers after a resume."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_model
from gluon_attn.config.model import ModelConfig
from gluon_attn.models.build import build
from gluon_attn.models.slots import Residual
from gluon_attn.nn.layers import DropBranch
from gluon_attn.utils.errors import UserError
from gluon_attn.utils.seed import seed_all


def residuals(block):
    for child in block._children.values():
        if isinstance(child, Residual):
            yield child
        else:
            yield from residuals(child)


def rates(net):
    return [block.drop_path._rate if block.drop_path else 0.0 for block in residuals(net)]


@pytest.mark.parametrize("name", ["cifar_resnet20_v1", "cifar_resnet20_v2"])
def test_rates_rise_with_the_depth(name):
    np.testing.assert_allclose(rates(get_model(name, 10, drop_path=0.4)), np.linspace(0, 0.4, 9))
    assert rates(get_model(name, 10)) == [0] * 9


def test_mobile_networks_count_as_timm_does():
    """17 blocks, of which 10 have a shortcut; torchvision and timm have rate * index / 17."""
    net = get_model("mobilenet_v2", 10, drop_path=0.17)
    found = rates(net)
    assert len(found) == 17
    assert np.count_nonzero(found) == 10
    np.testing.assert_allclose([r for r in found if r], [0.01 * i for i in (2, 4, 5, 7, 8, 9, 11, 12, 14, 15)])


@pytest.mark.parametrize("name", ["resnet18_v1b", "cifar_resnet20_v1", "cifar_resnet20_v2"])
@pytest.mark.parametrize("attention", [None, "eca", "dia"])
def test_branches_are_dropped_per_image(name, attention):
    """Where a branch ends in zeros or ones, each image has none of it, or 1 / (1 - rate) of it."""
    net = get_model(name, 4, attention=attention, drop_path=0.5, input_size=32)
    net.initialize(mx.init.MSRAPrelu())
    block = list(residuals(net))[-1]
    seen = []
    block.drop_path.register_forward_hook(lambda _, args, out: seen.append((args[0], out)))
    x = mx.nd.random.normal(shape=(16, 3, 32, 32))
    with mx.autograd.record():
        net(x)
    before, after = (array.asnumpy().reshape(16, -1) for array in seen[0])
    gone = ~after.any(axis=1)
    assert 0 < gone.sum() < 16
    np.testing.assert_allclose(after[~gone], 2 * before[~gone], rtol=1e-6)
    plain, other = net(x).asnumpy(), net(x).asnumpy()  # all of it outside of training
    np.testing.assert_array_equal(plain, other)
    np.testing.assert_array_equal(*(array.asnumpy() for array in seen[1]))


@pytest.mark.parametrize("hybrid", [False, True])
def test_the_seed_decides_what_is_dropped(hybrid):
    """So that an epoch is the same after a resume: it begins with `seed_all`, as for dropout."""
    net = get_model("cifar_resnet20_v1", 4, attention="se", drop_path=0.5)
    net.initialize(mx.init.MSRAPrelu())
    net.hybridize(hybrid)
    x, outs = mx.nd.random.normal(shape=(8, 3, 32, 32)), []
    net(x)
    for epoch in (1, 2, 1):
        seed_all(0, 0, epoch)
        with mx.autograd.record():
            outs.append(net(x).asnumpy())
    np.testing.assert_array_equal(outs[0], outs[2])
    assert not np.allclose(outs[0], outs[1])


def test_recipe_and_config():
    net = build(ModelConfig(model="cifar_resnet20_v1", drop_path=0.2), 10)
    assert net.recipe["options"] == {"drop_path": 0.2}
    again = get_model(net.recipe["model"], 10, plan=net.recipe["plan"], **net.recipe["options"])
    assert rates(again) == rates(net)
    assert rates(net)[-1] == 0.2


def test_a_detector_has_it_in_its_backbone():
    net = get_model("faster_rcnn_fpn_resnet18_v1b", 3, drop_path=0.1)
    np.testing.assert_allclose(rates(net), np.linspace(0, 0.1, 8))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: get_model("cifar_resnet20_v1", 10, drop_path=1), "drop_path must be from 0 to below 1, got 1"),
        (lambda: build(ModelConfig(model="darts_cifar", drop_path=0.2), 10), "option drop_path_prob, not drop_path"),
        (lambda: ModelConfig(drop_path=-1), "option drop_path must be from 0 to below 1, got -1.0"),
    ],
)
def test_refused(make, words):
    with pytest.raises(UserError) as caught:
        make()
    assert words in str(caught.value)


def test_nothing_to_drop():
    from mxnet.gluon import nn

    from gluon_attn.models.drop_path import with_drop_path

    with pytest.raises(UserError, match="no residual block to drop"):
        with_drop_path(nn.HybridSequential(), 0.1)
    assert with_drop_path(nn.HybridSequential(), 0) is not None
    assert DropBranch(0.0)(mx.nd.ones((1, 2, 3, 3))).sum().asscalar() == 18
