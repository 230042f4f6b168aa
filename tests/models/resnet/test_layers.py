"""Slots of all residual blocks: inner and first convolution, and after a stage."""

import mxnet as mx
import numpy as np
import pytest
from model_checks import initialized, num_weights, stages_of, walk
from mxnet.gluon import nn

from gluon_attn import Plan, get_model


@pytest.mark.parametrize(
    "name", ["resnet18_v1b", "resnet50_v1b", "cifar_resnet20_v1", "cifar_resnet20_v2", "resnet50_v1"]
)
def test_an_inner_attention_stands_before_the_last_convolution(name):
    net, plain = initialized(name, plan=Plan([{"slot": "inner", "name": "simam"}])), initialized(name)
    for own, other in zip(net.collect_params().values(), plain.collect_params().values(), strict=True):
        own.set_data(other.data())
    x = mx.nd.random.normal(shape=(2, 16 if "cifar" in name else 64, 6, 5))
    got, before = (what_the_last_convolution_gets(stages_of(made)[0][0], x) for made in (net, plain))
    simam = next(layer for layer in walk(net) if type(layer).__name__ == "SimAM")
    np.testing.assert_allclose(got.asnumpy(), simam(before).asnumpy(), rtol=1e-5, atol=1e-6)
    assert np.abs((got - before).asnumpy()).max() > 1e-3


def what_the_last_convolution_gets(block, x):
    shortcut = set(walk(block.downsample)) if block.downsample else set()
    last = [layer for layer in walk(block) if isinstance(layer, nn.Conv2D) and layer not in shortcut][-1]
    seen = []
    last.register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0]))
    block(x)
    return seen[0]


@pytest.mark.parametrize("name", ["resnet18_v1b", "cifar_resnet20_v1", "cifar_resnet20_v2"])
def test_an_attention_instead_of_a_blocks_first_convolution(name):
    net = initialized(name, plan=Plan([{"slot": "conv1", "name": "sk", "options": {"groups": 1}}]))
    kinds = repr(net)
    assert kinds.count("SK(") == (8 if "18" in name else 9)
    first = next(layer for layer in walk(stages_of(net)[1][0]) if type(layer).__name__ == "SK")
    small, large = (64, 128) if "18" in name else (16, 32)
    assert first.branches[0][0].weight.shape[:2] == (large, small)
    assert net(mx.nd.ones((1, 3, 32, 32))).shape == (1, 10)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("resnet18_v1b", ["CBAM", "CBAM", "TorchBlock", "TorchBlock"]),
        ("cifar_resnet20_v1", ["CBAM", "CBAM", "BlockV1"]),
    ],
)
def test_a_stage_slot_follows_the_stage(name, kinds):
    net = get_model(name, 10, plan=Plan([{"slot": "stage", "name": "cbam", "stages": [1, 2]}]))
    assert [type(stage[len(stage) - 1]).__name__ for stage in stages_of(net)] == kinds
    cbams = [num_weights(stage[len(stage) - 1]) for stage in stages_of(net)[:2]]
    assert num_weights(net) == num_weights(get_model(name, 10)) + sum(cbams)


def test_bam_stands_between_stages():
    for name, wanted in (("resnet18_v1b", [1, 2, 3]), ("cifar_resnet20_v1", [1, 2]), ("mobilenet_v2", [*range(1, 7)])):
        (entry,) = get_model(name, 10, attention="bam").recipe["plan"]["entries"]
        assert (entry["slot"], entry["stages"]) == ("stage", wanted)
    assert "BAM" not in repr(get_model("resnet18_v1b", 10, attention="bam").layer4)
