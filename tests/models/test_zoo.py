"""Networks with their attention in their name: what sits where, and the published numbers of weights."""

import mxnet as mx
import numpy as np
import pytest
from model_checks import num_weights, stages_of
from mxnet.gluon import nn

from gluon_attn import Plan, get_model, list_models
from gluon_attn.models.added_parts import plain_recipe
from gluon_attn.models.factory import model_info
from gluon_attn.models.resnet.torch_blocks import TorchBlock
from gluon_attn.models.variants import NAMED, RESNET
from gluon_attn.utils.errors import UserError

#: of the ECA reproduction's code, which the formula's networks are
FORMULA = {18: 11_689_548, 34: 21_797_746, 50: 25_557_118, 101: 44_549_331, 152: 60_193_064}
#: parts of names of networks that differ from another in the number of blocks alone
DEEP = ("34", "101", "152", "200", "269")
KERNELS = {18: "3577", 34: "3357", 50: "3557", 101: "3357", 152: "3357"}


#: learnable parameters as torchvision's and GluonCV's models have them
GROUPED = {
    "resnext50_32x4d": 25_028_904,
    "resnext101_32x4d": 44_177_704,
    "resnext101_64x4d": 83_455_272,
    "resnext101_32x8d": 88_791_336,
    "wide_resnet50_2": 68_883_240,
    "wide_resnet101_2": 126_886_696,
    "se_resnext50_32x4d": 27_559_896,
    "se_resnext101_32x4d": 48_955_416,
    "se_resnext101_64x4d": 88_232_984,
    "senet_154": 115_088_984,
    "cifar_wideresnet16_10": 17_116_666,
    "cifar_wideresnet28_10": 36_479_226,
    "cifar_wideresnet40_8": 35_748_346,
    "cifar_resnext29_16x64d": 68_155_210,
    "cifar_resnext29_32x4d": 4_775_754,
    # DIANet's with 100 classes, by the authors' code
    "dia_cifar_preresnet164": 1_961_364,
    "dia_cifar_wideresnet52_4": 12_298_516,
    "dia_cifar_resnext101_8x32d": 33_006_020,
}


def by_stage(net):
    return [[block for block in stage if isinstance(block, TorchBlock)] for stage in stages_of(net)]


def test_names():
    assert set(NAMED) <= set(list_models())
    families = {f"{name}_resnet{depth}" for name in ("se", "cbam", "bam", "sge", "triplet", "eca") for depth in RESNET}
    assert families <= set(NAMED)
    assert {"ge_resnet50", "aa_resnet50", "fa_resnet50", "eca_mobilenet_v2", "eca_resnet50_official"} <= set(NAMED)


@pytest.mark.parametrize("depth", RESNET)
def test_eca_by_the_formula(depth):
    assert num_weights(get_model(f"eca_resnet{depth}")) == FORMULA[depth]


@pytest.mark.parametrize("name", GROUPED)
def test_groups_and_more_width(name):
    classes = 100 if name.startswith("dia") else 10 if name.startswith("cifar") else 1000
    assert num_weights(get_model(name, classes)) == GROUPED[name]


@pytest.mark.parametrize("depth", RESNET)
def test_the_released_kernels(depth):
    net = get_model(f"eca_resnet{depth}_official", 10)
    for stage, kernel in zip(by_stage(net), KERNELS[depth], strict=True):
        assert {block.post.conv.weight.shape[2] for block in stage} == {int(kernel)}


def test_the_kernels_of_the_mobilenets():
    def kernels(name):
        return [block.post.conv.weight.shape[2] for block in get_model(name, 10).features if hasattr(block, "post")]

    assert kernels("eca_mobilenet_v2") == [1] * 10 + [3] * 7
    assert kernels("eca_mobilenet_v2_formula") == [3] * 13 + [5] * 4
    assert num_weights(get_model("eca_mobilenet_v2_formula")) == 3_504_931


@pytest.mark.parametrize(("name", "kind"), [("se", "SE"), ("cbam", "CBAM"), ("sge", "SGE"), ("triplet", "Triplet")])
def test_attention_ends_every_branch(name, kind):
    for stage in by_stage(get_model(f"{name}_resnet18", 10)):
        assert [type(block.post).__name__ for block in stage] == [kind] * 2


def test_bam_is_the_authors():
    net = get_model("bam_resnet50", 10)
    for number, channels in ((1, 256), (2, 512), (3, 1024)):
        last = list(getattr(net, f"layer{number}"))[-1]
        assert (type(last).__name__, last._channels, last._added) == ("BAM", channels, False)
    assert not any(block.post for stage in by_stage(net) for block in stage)


def test_attention_in_place_of_the_3x3():
    """Of the last three stages; a stride is the module's, or a pooling behind it."""
    stages = by_stage(get_model("aa_resnet50", 10))
    kinds = [{type(block.conv2).__name__ for block in stage} for stage in stages]
    assert kinds == [{"Conv2D"}, *[{"AttentionAugmented"}] * 3]
    assert [stage[0].conv2.attention._size for stage in stages[1:]] == [(28, 28), (14, 14), (7, 7)]
    stages = by_stage(get_model("fa_resnet50", 10))
    assert [type(stage[1].conv2).__name__ for stage in stages] == ["StandAlone"] * 4
    assert [type(stage[0].conv2[1]).__name__ for stage in stages[1:]] == ["AvgPool2D"] * 3


def test_split_attention_in_every_block():
    """With the stride by pooling; the dropout and the image size of the deepest are those of the published ones."""
    net = get_model("resnest14", 10)
    splits = [stage[0].conv2 for stage in by_stage(net)]
    assert [(type(conv).__name__, conv._stride) for conv in splits] == [("SplitAttention", s) for s in (1, 2, 2, 2)]
    assert len(list(net.layer2[0].downsample)) == 3
    assert model_info("resnest269").options()["drop_rate"] == 0.2
    assert [model_info(f"resnest{depth}").input_size for depth in (101, 200, 269)] == [224, 256, 320]
    assert model_info("resnest200").blocks == (3, 24, 36, 3)


def test_self_attention_in_some_blocks():
    def places(name):
        stages = by_stage(get_model(name, 10))
        found = [(i, j, block.conv2) for i, stage in enumerate(stages) for j, block in enumerate(stage)]
        return {(i, j): layer for i, j, layer in found if not isinstance(layer, nn.Conv2D)}

    for name, kind in (("botnet26t", "BoT"), ("halonet26t", "Halo"), ("lambda_resnet26t", "LambdaLayer")):
        there = places(name)
        assert list(there) == [(2, 1), (3, 0), (3, 1)]
        # a stride is the module's, or a pooling behind it
        modules = [layer[0] if isinstance(layer, nn.HybridSequential) else layer for layer in there.values()]
        assert {type(module).__name__ for module in modules} == {kind}
    halo = places("halonet50ts")
    assert list(halo) == [(1, 3), (2, 1), (2, 3), (2, 5), (3, 1)]
    assert [layer._heads for layer in halo.values()] == [4, 8, 8, 8, 8]
    assert model_info("botnet50ts").input_size == 256


def test_groups_of_one_size():
    net = get_model("eca_resnext26ts", 10)
    assert [stage[0].conv2._kwargs["num_group"] for stage in by_stage(net)] == [2, 4, 8, 16]
    with pytest.raises(UserError, match="group_size 48 does not divide the width 64 of a stage"):
        get_model("resnet50_v1b", group_size=48)
    with pytest.raises(UserError, match="give groups or group_size, not both: got 2 and 32"):
        get_model("resnet50_v1b", groups=2, group_size=32)
    with pytest.raises(UserError, match="base_width 1 is too small for a stage of width 16"):
        get_model("resnet50_v1b", groups=32, base_width=1, widths=[16, 32, 64, 128])
    with pytest.raises(UserError, match="group_size and reduce_first are for bottlenecks"):
        get_model("resnet18_v1b", group_size=32)


def test_the_backbone_of_a_preset_has_its_options():
    """So that weights of the network without its attention, or with another one, have their places."""
    net = get_model("resnest101", 10, last_gamma=True)
    assert plain_recipe(net.recipe) == {
        "model": "resnet101_v1d", "classes": 10, "plan": Plan().to_dict(),
        "options": {"stem_width": 64, "last_gamma": True},
    }  # fmt: skip


def test_gather_excite_is_told_its_maps():
    """Whole-map kernels with a perceptron (GE-theta-plus), for the maps of the given images."""
    sizes = [block.post.gather[0].weight.shape[2] for (block, *_) in by_stage(get_model("ge_resnet50", 10))]
    assert sizes == [56, 28, 14, 7]
    net = get_model("ge_resnet50", 10, input_size=64)
    net.initialize()
    assert net(mx.nd.ones((1, 3, 64, 64))).shape == (1, 10)
    with pytest.raises(UserError, match="made for maps of 16x16"):
        net(mx.nd.ones((1, 3, 96, 96)))


def test_options_are_the_backbones():
    assert model_info("se_resnet50").options() == model_info("resnet50_v1b").options()
    net = get_model("se_resnet18", 10, last_gamma=True, drop_rate=0.2, input_size=32)
    assert net.recipe == {
        "model": "se_resnet18", "classes": 10, "plan": None,
        "options": {"last_gamma": True, "drop_rate": 0.2, "input_size": 32},
    }  # fmt: skip
    net.initialize()
    net.hybridize()
    assert net(mx.nd.ones((2, 3, 32, 32))).shape == (2, 10)


def test_another_attention_is_refused():
    with pytest.raises(UserError, match="model 'se_resnet18' has its attention in its name"):
        get_model("se_resnet18", attention="eca")


@pytest.mark.parametrize("name", [name for name in NAMED if not any(depth in name for depth in DEEP)])
def test_each_builds_and_runs(name):
    """Those left out differ in the number of blocks alone."""
    net = get_model(name, 10, input_size=64)
    net.initialize(mx.init.Xavier())
    net.hybridize()
    y = net(mx.nd.random.normal(shape=(2, 3, 64, 64))).asnumpy()
    assert y.shape == (2, 10)
    assert np.isfinite(y).all()
