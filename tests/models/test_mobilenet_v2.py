"""MobileNetV2: sizes, names, what follows the projections, and values by hand."""

import mxnet as mx
import pytest
from model_checks import blocks_of, initialized, num_weights

from gluon_attn import Plan, get_model
from gluon_attn.utils.errors import UserError


def test_torchvisions_size_and_names():
    net = get_model("mobilenet_v2")
    own = net._collect_params_with_prefix()
    assert num_weights(net) == 3_504_872
    assert len(blocks_of(net)) == 17
    shapes = {name: p.shape for name, p in own.items()}
    assert shapes["features.0.0.weight"] == (32, 3, 3, 3)
    assert shapes["features.0.1.gamma"] == (32,)
    assert shapes["features.1.conv.0.0.weight"] == (32, 1, 3, 3)
    assert shapes["features.1.conv.1.weight"] == (16, 32, 1, 1)
    assert shapes["features.2.conv.0.0.weight"] == (96, 16, 1, 1)
    assert shapes["features.17.conv.3.running_var"] == (320,)
    assert shapes["features.18.0.weight"] == (1280, 320, 1, 1)
    assert shapes["classifier.1.weight"] == (1000, 1280)


def test_a_block_by_hand():
    net = initialized("mobilenet_v2", attention="eca")
    clip = [mx.nd.random.normal(scale=5, shape=(2, 24, 7, 5))]
    block = blocks_of(net)[2]
    for layer in (*block.conv[0], *block.conv[1], block.conv[2], block.conv[3], block.post):
        clip.append(layer(clip[-1]))
    assert (block(clip[0]).asnumpy() == (clip[0] + clip[-1]).asnumpy()).all()
    assert clip[3].max().asscalar() == 6
    assert clip[3].min().asscalar() == 0
    block, x = blocks_of(net)[1], mx.nd.random.normal(shape=(2, 16, 7, 5))  # no shortcut, but attention
    assert block(x).shape == (2, 24, 4, 3)
    assert (block(x).asnumpy() == block.post(block.conv(x)).asnumpy()).all()


def test_whole_map_kernels_have_the_size_of_their_maps():
    """Depthwise kernels over the whole feature map take no other size."""
    net = get_model("mobilenet_v2", 10, attention="ge_theta", input_size=75)
    net.initialize()
    net.hybridize()
    assert net(mx.nd.ones((1, 3, 75, 75))).shape == (1, 10)
    sizes = [block.post.gather[0].weight.shape[2] for block in blocks_of(net)]
    assert sizes == [38] + [19] * 2 + [10] * 3 + [5] * 7 + [3] * 4


def test_stages_of_a_plan():
    net = get_model("mobilenet_v2", 10, plan=Plan([{"name": "se", "stages": [2, 7]}, {"slot": "stage", "name": "gc"}]))
    assert [i for i, block in enumerate(blocks_of(net)) if block.post] == [1, 2, 16]
    kinds = [type(layer).__name__ for layer in net.features]
    assert [i for i, kind in enumerate(kinds) if kind == "GC"] == [2, 5, 9, 14, 18, 22, 24]


def test_drop_rate():
    assert get_model("mobilenet_v2").classifier[0]._rate == 0.2
    assert get_model("eca_mobilenet_v2").classifier[0]._rate == 0.25
    assert get_model("eca_mobilenet_v2", drop_rate=0.1).classifier[0]._rate == 0.1
    with pytest.raises(UserError, match="drop_rate must be from 0 to below 1, got 1"):
        get_model("mobilenet_v2", drop_rate=1)


def test_what_it_has_no_place_for():
    with pytest.raises(UserError, match="cha_atac needs a 'act' slot; this backbone has post, stage"):
        get_model("mobilenet_v2", attention="cha_atac")


def test_a_multiplier_scales_mobilenet():
    net = get_model("mobilenet_v2", 10, multiplier=0.75)
    shapes = {name: param.shape for name, param in net._collect_params_with_prefix().items()}
    assert shapes["features.0.0.weight"][0] == 24
    assert shapes["features.2.conv.2.weight"][0] == 18
    assert shapes["features.18.0.weight"] == (1280, 240, 1, 1)
    assert get_model("mobilenet_v2", 10, multiplier=1.5).classifier[1].weight.shape == (10, 1920)
    with pytest.raises(UserError, match="multiplier must be a number above 0, got 0"):
        get_model("mobilenet_v2", 10, multiplier=0)
    with pytest.raises(UserError, match=r"multiplier 0\.01 leaves none of 32 channels; give a larger one"):
        get_model("mobilenet_v2", 10, multiplier=0.01)
