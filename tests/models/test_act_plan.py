"""Attentional activations by the options of a run."""

import shlex

import pytest

from gluon_attn import get_model
from gluon_attn.cli.train import script_options
from gluon_attn.config.model import ModelConfig
from gluon_attn.models.build import build

PUBLISHED = (
    "--gpus 0 --num-epochs 400 --mode hybrid -j 32 --batch-size 128 --wd 0.0001 --lr 0.2 --lr-decay 0.1"
    " --lr-decay-epoch 300,350 --dataset cifar100 --model atac --act-type ChaATAC --useReLU --r 2 --blocks 3"
)


def built(classes=10, input_size=None, **options):
    return build(ModelConfig(**options), classes, input_size)


def entries(net):
    """The entries of a network's plan, without what is at its default."""
    default = {"options": {}, "stages": None, "shared": False, "scheme": None}
    plan = net.recipe["plan"]["entries"]
    return [{key: value for key, value in entry.items() if value != default.get(key, ())} for entry in plan]


def test_open_atacs_published_command():
    config = script_options("train_cifar.py", shlex.split(PUBLISHED)).config()
    net = build(config.model, 100, 32)
    wanted = get_model("atac", 100, blocks=3, act_type="ChaATAC", act_layers=4, reduction=2, relu=True)
    assert repr(net) == repr(wanted)
    assert net.recipe["model"] == "atac_cifar_resnet"
    assert net.recipe["options"] == {
        "blocks": 3, "input_size": 32, "act_type": "ChaATAC", "reduction": 2, "relu": True, "global_pool": False,
    }  # fmt: skip


def test_the_open_atac_network_without_a_name_for_the_activation():
    net = built(1000, model="atac_resnet50_v1b", r=2, act_layers=2)
    assert net.recipe["options"] == {"act_layers": 2, "reduction": 2}
    again = built(1000, model="atac_resnet50_v1b", r=2, act_layers=2, act_type="ChaATAC")
    assert repr(again) == repr(net)
    assert ["ChaATAC" in repr(stage) for stage in (net.layer2, net.layer3)] == [False, True]


def test_the_inner_relu_is_off_unless_asked_for():
    """As in the published script; the network's own default, where no activation is named, is the paper's."""
    layers = [type(layer).__name__ for layer in built(model="atac", act_type="ChaATAC").features[6].mlp]
    assert layers == ["Conv2D", "BatchNorm", "Conv2D", "BatchNorm"]
    layers = [type(layer).__name__ for layer in built(model="atac").features[6].mlp]
    assert layers == ["Conv2D", "BatchNorm", "Activation", "Conv2D", "BatchNorm"]


def test_flags_of_the_atac_network():
    net = built(model="atac", act_type="ChaATAC", act_layers=1, use_global=True, r=4, blocks=1, drop_rate=0.1)
    assert type(net.features[4][0].act1).__name__ == "Activation"
    assert net.features[6]._global_pool
    assert net.features[6].mlp[0].weight.shape == (16, 64, 1, 1)
    assert repr(net).count("Dropout") == 3
    assert type(built(model="atac", act_type="swish").features[6]).__name__ == "Swish"


@pytest.mark.parametrize(
    ("model", "act_layers", "stages"),
    [
        ("cifar_resnet20_v1", None, [1, 2, 3]),
        ("cifar_resnet20_v1", 1, [3]),
        ("cifar_resnet20_v1", 0, []),
        ("cifar_resnet20_v2", None, [1, 2, 3, 4]),
        ("cifar_resnet20_v2", 2, [3, 4]),
    ],
)
def test_act_type_on_any_backbone(model, act_layers, stages):
    net = built(model=model, act_type="ChaATAC", act_layers=act_layers, r=2, use_relu=True)
    options = {"reduction": 2, "relu": True, "global_pool": False}
    assert entries(net) == [{"slot": "act", "name": "ChaATAC", "options": options, "stages": stages}]
    holds = ["ChaATAC(" in repr(stage) for stage in list(net.features)[2:5]]
    assert holds == [stage in stages for stage in (1, 2, 3)]


def test_attention_and_activation_together():
    """--r is the activation's then, as in the published script; the attention's goes into --attention-options."""
    net = built(attention="se", act_type="ChaATAC", r=4, act_layers=1)
    assert [entry["slot"] for entry in entries(net)] == ["post", "act"]
    assert "options" not in entries(net)[0]
    assert entries(net)[1]["options"]["reduction"] == 4
    net = built(attention="eca", act_type="prelu")
    assert [entry["name"] for entry in entries(net)] == ["eca", "prelu"]


def test_an_attention_as_activation_gets_only_what_it_knows():
    """--useReLU and --useGlobal count as not given for all but the attentional activations."""
    assert entries(built(act_type="se", r=4))[0]["options"] == {"reduction": 4}
    assert "options" not in entries(built(act_type="elu"))[0]
