"""Stems, widths and slots that make the other ResNets: sizes, values by hand, and that nothing is without effect."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import Plan, get_model
from gluon_attn.config.model import ModelConfig
from gluon_attn.models.build import build
from gluon_attn.utils.errors import UserError


def started(name, **options):
    net = get_model(name, 10, **options)
    net.initialize(mx.init.Xavier())
    return net


def learned(net):
    return sum(int(np.prod(p.shape)) for p in net.collect_params().values() if p.grad_req != "null")


GCA = Plan([{"slot": "inner", "name": "gca"}])
SK = Plan([{"slot": "conv1", "name": "sk", "options": {"groups": 1, "reduction": 8, "narrowest": 16, "split": True}}])


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [  # timm's own counts of ecaresnet26t, ecaresnetlight, seresnet34, skresnet18; gcresnet50t has 16 biases more
        ("resnet50_v1d", {"blocks": [2, 2, 2, 2], "stem": "tiered", "attention": "eca"}, 16_011_916),
        ("resnet50_v1d", {"blocks": [1, 1, 11, 3], "stem": "large", "attention": "eca"}, 30_162_046),
        ("resnet34_v1b", {"attention": {"name": "se", "narrowest": 8}}, 21_960_416),
        ("resnet18_v1b", {"plan": SK}, 11_958_056),
        ("resnet50_v1b", {"stem": "tiered", "stem_pool": False, "plan": GCA}, 25_897_080 - 16),
    ],
)
def test_sizes_of_timms_networks(name, options, count):
    assert learned(get_model(name, **options)) == count


def test_a_tiered_stem_by_hand():
    net = started("resnet18_v1d", stem="tiered", stem_width=16, stem_pool=False, activation="swish")
    assert [net.conv1[i].weight.shape[:2] for i in (0, 3, 6)] == [(12, 3), (16, 12), (32, 16)]
    assert [net.conv1[i]._kwargs["stride"] for i in (0, 3, 6)] == [(2, 2), (1, 1), (2, 2)]
    assert net.maxpool is None
    x = mx.nd.random.normal(shape=(2, 3, 32, 32))
    y = x
    for layer in (*net.conv1, net.bn1):
        y = layer(y)
    y = y * y.sigmoid()
    seen = []
    net.layer1.register_forward_hook(lambda block, inputs, output: seen.append(inputs[0]))
    net(x)
    np.testing.assert_allclose(seen[0].asnumpy(), y.asnumpy(), rtol=1e-5, atol=1e-6)
    assert seen[0].shape == (2, 32, 8, 8)


def test_the_activation_is_that_of_the_whole_network():
    text = repr(started("resnet50_v1d", activation="swish", final_width=40))
    assert "Activation(relu)" not in text
    assert text.count("Swish") == 2 + 1 + 16 * 3 + 1  # deep stem, its norm's, blocks with the last, the end
    block = started("resnet18_v1b", activation="elu").layer1[0]
    x = mx.nd.random.normal(shape=(2, 64, 5, 6))
    wanted = mx.nd.LeakyReLU(x + block.body(x), act_type="elu", slope=1.0)
    np.testing.assert_allclose(block(x).asnumpy(), wanted.asnumpy(), rtol=1e-5, atol=1e-6)


def test_widths_blocks_and_what_stands_behind_the_stages():
    net = started("resnet50_v1b", blocks=[1, 2, 1, 1], widths=[8, 16, 16, 24], final_width=20, stem_width=32)
    assert [len(getattr(net, f"layer{i}")) for i in (1, 2, 3, 4)] == [1, 2, 1, 1]
    assert [getattr(net, f"layer{i}")[0].conv3.weight.shape[0] for i in (1, 2, 3, 4)] == [32, 64, 64, 96]
    assert (net.conv1.weight.shape[0], net.final[0].weight.shape) == (32, (20, 96, 1, 1))
    assert net.fc.weight.shape == (10, 20)
    assert net(mx.nd.ones((1, 3, 64, 64))).shape == (1, 10)


@pytest.mark.parametrize(
    "name", ["resnet18_v1b", "resnet50_v1b", "cifar_resnet20_v1", "cifar_resnet20_v2", "resnet50_v1"]
)
def test_an_inner_attention_stands_before_the_last_convolution(name):
    net, plain = started(name, plan=Plan([{"slot": "inner", "name": "simam"}])), started(name)
    for own, other in zip(net.collect_params().values(), plain.collect_params().values(), strict=True):
        own.set_data(other.data())
    x = mx.nd.random.normal(shape=(2, 16 if "cifar" in name else 64, 6, 5))
    got, before = (what_the_last_convolution_gets(stage_of(made, 1)[0], x) for made in (net, plain))
    simam = next(layer for layer in walk(net) if type(layer).__name__ == "SimAM")
    np.testing.assert_allclose(got.asnumpy(), simam(before).asnumpy(), rtol=1e-5, atol=1e-6)
    assert np.abs((got - before).asnumpy()).max() > 1e-3


def what_the_last_convolution_gets(block, x):
    shortcut = set(walk(block.downsample)) if block.downsample else set()
    last = [layer for layer in walk(block) if type(layer).__name__ == "Conv2D" and layer not in shortcut][-1]
    seen = []
    last.register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0]))
    block(x)
    return seen[0]


def stage_of(net, number):
    """A stage, from 1."""
    if hasattr(net, "layer1"):
        return getattr(net, f"layer{number}")
    return [child for child in net.features if type(child).__name__ == "Stage"][number - 1]


def walk(block):
    yield block
    for child in block._children.values():
        yield from walk(child)


@pytest.mark.parametrize("name", ["resnet18_v1b", "cifar_resnet20_v1", "cifar_resnet20_v2"])
def test_an_attention_instead_of_a_blocks_first_convolution(name):
    net = started(name, plan=Plan([{"slot": "conv1", "name": "sk", "options": {"groups": 1}}]))
    kinds = repr(net)
    assert kinds.count("SK(") == (8 if "18" in name else 9)
    first = next(layer for layer in walk(stage_of(net, 2)[0]) if type(layer).__name__ == "SK")
    small, large = (64, 128) if "18" in name else (16, 32)
    assert first.branches[0][0].weight.shape[:2] == (large, small)
    assert net(mx.nd.ones((1, 3, 32, 32))).shape == (1, 10)


def test_slot_is_a_flag():
    net = build(ModelConfig(model="resnet50_v1b", attention="se", slot="inner"), 10)
    (entry,) = net.recipe["plan"]["entries"]
    assert (entry["slot"], net.layer1[0].post) == ("inner", None)
    assert net.layer1[0].inner.mlp[2].weight.shape[0] == 64
    net = build(ModelConfig(model="resnet18_v1b", attention="bam", slot="post"), 10)
    assert net.recipe["plan"]["entries"][0]["stages"] is None  # no longer between stages
    with pytest.raises(UserError, match="option slot needs option attention"):
        ModelConfig(model="resnet18_v1b", slot="inner")
    with pytest.raises(UserError, match="slot must be one of post, inner"):
        build(ModelConfig(model="resnet18_v1b", attention="se", slot="middle"), 10)
    with pytest.raises(UserError, match="se wants a 'inner' slot; this backbone has post, stage"):
        build(ModelConfig(model="mobilenet_v2", attention="se", slot="inner"), 10)


def test_codes_count_the_blocks_that_are_given():
    options = {"blocks": [1, 1, 2, 1]}
    config = ModelConfig(model="resnet18_v1b", attention="se", model_options=options, config_codes=(1, 0, 2, 1))
    assert build(config, 10).recipe["plan"]["entries"][0]["scheme"] == "10101"
    with pytest.raises(UserError, match="blocks must list 4 whole numbers, one per stage, got 3"):
        build(ModelConfig(**{**config.to_dict(), "model_options": {"blocks": 3}}), 10)


def test_a_multiplier_scales_mobilenet():
    net = get_model("mobilenet_v2", 10, multiplier=0.75)
    shapes = {name: param.shape for name, param in net._collect_params_with_prefix().items()}
    assert shapes["features.0.0.weight"][0] == 24
    assert shapes["features.2.conv.2.weight"][0] == 18
    assert shapes["features.18.0.weight"] == (1280, 240, 1, 1)
    assert get_model("mobilenet_v2", 10, multiplier=1.5).classifier[1].weight.shape == (10, 1920)
    with pytest.raises(UserError, match="multiplier must be a number above 0, got 0"):
        get_model("mobilenet_v2", 10, multiplier=0)
    with pytest.raises(UserError, match=r"multiplier 0\.01 leaves none of 32 maps; take a greater one"):
        get_model("mobilenet_v2", 10, multiplier=0.01)
