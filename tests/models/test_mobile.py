"""MobileNetV3, EfficientNet, MixNet and RegNetY: published sizes, what is where, another attention, and training."""

import mxnet as mx
import numpy as np
import pytest
from model_checks import blocks_of, initialized, num_weights
from training_checks import check_losses

from gluon_attn import Plan, get_model
from gluon_attn.config.model import ModelConfig
from gluon_attn.models.build import build
from gluon_attn.models.factory import model_info
from gluon_attn.models.inverted import MixedConv
from gluon_attn.utils.errors import UserError

#: parameters by torchvision's, GluonCV's and timm's code
PARAMETERS = {
    "mobilenet_v3_large": 5_483_032,
    "mobilenet_v3_small": 2_542_856,
    "mobilenetv3_large": 5_481_752,
    "mobilenetv3_small": 2_945_288,
    "efficientnet_b0": 5_288_548,
    "efficientnet_b1": 7_794_184,
    "efficientnet_b2": 9_109_994,
    "efficientnet_b3": 12_233_232,
    "efficientnet_b4": 19_341_616,
    "mixnet_s": 4_134_606,
    "regnety_400mf": 4_344_144,
    "regnety_800mf": 6_432_512,
    "regnety_1_6gf": 11_202_430,
    "regnety_3_2gf": 19_436_338,
}
FAMILIES = ("mobilenet_v3_small", "efficientnet_b0", "mixnet_s", "regnety_400mf")


def inner(net):
    """The class of the module after the depthwise convolution of each block, or None."""
    return [block.inner and type(block.inner).__name__ for block in blocks_of(net)]


@pytest.mark.parametrize("name", PARAMETERS)
def test_published_sizes(name):
    assert num_weights(get_model(name)) == PARAMETERS[name]


def test_where_squeeze_and_excitation_is():
    assert inner(get_model("mobilenet_v3_large", 10)) == [None] * 3 + ["SE"] * 3 + [None] * 4 + ["SE"] * 5
    assert inner(get_model("mobilenet_v3_small", 10)) == ["SE", None, None, *["SE"] * 8]
    assert inner(get_model("efficientnet_b0", 10)) == ["SE"] * 16
    assert inner(get_model("mixnet_s", 10)) == [None] * 3 + ["SE"] * 13
    assert inner(get_model("regnety_400mf", 10)) == ["SE"] * 16


def test_hidden_widths():
    """A quarter of what the depthwise convolution has, rounded, or of the block's input."""
    hidden = [
        block.inner.mlp[0].weight.shape[0] for block in blocks_of(get_model("mobilenet_v3_small", 10)) if block.inner
    ]
    assert hidden == [8, 24, 64, 64, 32, 40, 72, 144, 144]
    hidden = [block.inner.mlp[0].weight.shape[0] for block in blocks_of(get_model("efficientnet_b0", 10))]
    assert hidden == [8, 4, 6, 6, 10, 10, 20, 20, 20, 28, 28, 28, 48, 48, 48, 48]
    hidden = [block.inner.mlp[0].weight.shape[0] for block in blocks_of(get_model("regnety_400mf", 10))]
    assert hidden == [8, 12, 26, 26, 26, *[52] * 6, *[110] * 5]


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(("attention", "kind"), [("eca", "ECA"), ("coord", "Coord")])
def test_another_attention_takes_its_place(name, attention, kind):
    own = inner(get_model(name, 10))
    net = get_model(name, 10, attention=attention, input_size=64)
    assert inner(net) == [kind if there else None for there in own]
    assert not any(block.post for block in blocks_of(net))
    built = build(ModelConfig(model=name, attention=attention), 10)
    assert inner(built) == inner(net)
    net.initialize()
    assert net(mx.nd.ones((1, 3, 64, 64))).shape == (1, 10)
    assert inner(get_model(net.recipe["model"], 10, plan=net.recipe["plan"])) == inner(net)


def test_a_plan_replaces_its_attention():
    assert inner(get_model("efficientnet_b0", 10, plan=Plan())) == [None] * 16
    net = build(ModelConfig(model="efficientnet_b0", attention="eca", slot="post"), 10)
    assert inner(net) == [None] * 16
    assert {type(block.post).__name__ for block in blocks_of(net)} == {"ECA"}
    assert inner(build(ModelConfig(model="efficientnet_b0"), 10)) == ["SE"] * 16
    assert get_model("efficientnet_b0").recipe["plan"]["entries"][0]["name"] == "se"
    assert model_info("efficientnet_b0").attentions == ["se"]


def test_eca_by_name():
    net = get_model("eca_efficientnet_b0", 10)
    assert inner(net) == ["ECA"] * 16
    with pytest.raises(UserError, match="has its attention in its name"):
        get_model("eca_efficientnet_b0", attention="se")


def test_a_mixed_convolution_by_hand():
    """Each part of the channels by its own convolution; the first part has what is left over."""
    layer = MixedConv((3, 5), 7, 1, 7, depthwise=True)
    layer.initialize(mx.init.Normal(1))
    x = mx.nd.random.normal(shape=(2, 7, 6, 5))
    first, second = layer._children.values()
    assert (first.weight.shape, second.weight.shape) == ((4, 1, 3, 3), (3, 1, 5, 5))
    wanted = mx.nd.concat(first(x[:, :4]), second(x[:, 4:]), dim=1)
    np.testing.assert_array_equal(layer(x).asnumpy(), wanted.asnumpy())


def test_an_inverted_block_by_hand():
    block = blocks_of(initialized("mobilenet_v3_small"))[2]
    x = mx.nd.random.normal(scale=5, shape=(2, 24, 7, 5))
    y = mx.nd.relu(block.bn1(block.conv_pw(x)))
    y = mx.nd.relu(block.bn2(block.conv_dw(y)))
    np.testing.assert_allclose(block(x).asnumpy(), (x + block.bn3(block.conv_pwl(y))).asnumpy(), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("mobilenet_v3_large", {"multiplier": 0}, "multiplier must be "),
        ("mobilenet_v3_large", {"rounding": "half"}, "rounding must be "),
        ("mobilenet_v3_large", {"epsilon": 0}, "epsilon must be "),
        ("efficientnet_b0", {"width": -1}, "width must be "),
        ("efficientnet_b0", {"depth": 0}, "depth must be "),
        ("regnety_400mf", {"group_width": 16}, "group_width 16 does not divide the 104 channels of a stage"),
        ("regnety_400mf", {"widths": [8, 16]}, "widths "),
    ],
)
def test_refused(name, options, words):
    with pytest.raises(UserError) as caught:
        get_model(name, **options)
    assert str(caught.value).startswith(words)


def test_multipliers():
    """torchvision rounds to the nearest multiple of 8, GluonCV up."""
    assert get_model("mobilenet_v3_large", 10, multiplier=0.75).conv_head.weight.shape == (720, 120, 1, 1)
    assert get_model("mobilenet_v3_large", 10, multiplier=0.35).conv_stem.weight.shape[0] == 8
    assert get_model("mobilenetv3_large", 10, multiplier=0.55).conv_stem.weight.shape[0] == 16


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mobilenet_v3_small", {"multiplier": 0.25}),
        ("efficientnet_b0", {"width": 0.25, "depth": 0.3}),
        ("mixnet_s", {"multiplier": 0.25}),
        ("regnety_400mf", {"widths": [16, 16, 24, 32], "blocks": [1, 1, 1, 1]}),
    ],
)
def test_it_learns_some_digits(name, options, dtype, monkeypatch):
    check_losses(lambda classes, size: get_model(name, classes, input_size=size, **options), dtype, monkeypatch)
