"""Constructor arguments of the reference classes that no case of ours has: `builds.py` maps them all the same."""

from pathlib import Path

import pytest
from builds import make
from golden import Case
from model_checks import stages_of


def built(build, **args):
    return make(Case({"id": build, "config": {"build": build, "args": args}}, Path())).block


def test_channels_of_their_own():
    net = built("atac_resnet20", layers=[1, 2, 1], classes=5, channels=[8, 8, 24, 40], act_type="relu")
    assert [stage[0].conv1.weight.shape[0] for stage in stages_of(net)] == [8, 24, 40]


def test_arguments_of_version_1b():
    net = built(
        "atac_resnet50", layers=[1, 1, 2, 1], classes=5, act_type="relu", dilated=True, deep_stem=True, stem_width=16,
        avg_down=True, last_gamma=True, final_drop=0.0, use_global_stats=False,
    )  # fmt: skip
    assert [net.conv1[i].weight.shape[0] for i in (0, 3, 6)] == [16, 16, 32]
    assert len(net.layer2[0].downsample) == 3
    assert net.layer3[1].conv2._kwargs["dilate"] == (2, 2)


@pytest.mark.parametrize("build", ["eca_model", "eca_orig_model"])
def test_a_width_multiplier(build):
    net = built(build, fn="eca_mobilenet_v2", width_mult=0.5)
    assert net.features[0][0].weight.shape[0] == 16


def test_kernels_of_eca():
    net = built("eca_orig_model", fn="eca_resnet18", k_size=[3, 5, 7, 9])
    assert [stage[0].post.conv.weight.shape[2] for stage in stages_of(net)] == [3, 5, 7, 9]
    net = built("eca_model", fn="eca_resnet18", b=1, gamma=1)
    assert [stage[0].post.conv.weight.shape[2] for stage in stages_of(net)] == [7, 9, 9, 11]


def test_an_argument_without_a_counterpart_is_said():
    with pytest.raises(AssertionError, match="dilation=2 has no counterpart here, 1 only"):
        built("atac_resnet20", layers=[1, 1, 1], classes=5, act_type="relu", dilation=2)
