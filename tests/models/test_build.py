"""What the flags of a command mean together."""

import shlex

import mxnet as mx
import pytest

from gluon_attn import Plan, get_model, save_params
from gluon_attn.cli.flags import make_parser, parse
from gluon_attn.config.model import ModelConfig
from gluon_attn.config.train import RunConfig
from gluon_attn.models.build import build
from gluon_attn.runs.options import resolve
from gluon_attn.utils.errors import UserError

PUBLISHED = (
    "--gpus 0 --num-epochs 400 --mode hybrid -j 32 --batch-size 128 --wd 0.0001 --lr 0.2 --lr-decay 0.1"
    " --lr-decay-epoch 300,350 --dataset cifar100 --model atac --act-type ChaATAC --useReLU --r 2 --blocks 3"
)


def built(classes=10, input_size=None, **options):
    return build(ModelConfig(**options), classes, input_size)


def failing(**options):
    """The message of the `UserError`, which must be one line."""
    with pytest.raises(UserError) as caught:
        built(**options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def entries(net):
    """The entries of a network's plan, without what is at its default."""
    default = {"options": {}, "stages": None, "shared": False, "scheme": None}
    plan = net.recipe["plan"]["entries"]
    return [{key: value for key, value in entry.items() if value != default.get(key, ())} for entry in plan]


def test_nothing_asked_for():
    net = built()
    assert net.recipe == {
        "model": "cifar_resnet20_v1", "classes": 10, "plan": Plan().to_dict(), "options": {},
    }  # fmt: skip
    assert net.features[2][0].body[0].weight._data is None


def test_open_atacs_published_command():
    parser = make_parser("train", "train", RunConfig, {})
    config = resolve(RunConfig, parse(parser, shlex.split(PUBLISHED))[0])
    net = build(config.model, 100, 32)
    wanted = get_model("atac", 100, blocks=3, act_type="ChaATAC", act_layers=4, reduction=2, relu=True)
    assert repr(net) == repr(wanted)
    assert net.recipe["model"] == "atac_cifar_resnet"
    assert net.recipe["options"] == {
        "blocks": 3, "input_size": 32, "act_type": "ChaATAC", "reduction": 2, "relu": True, "global_pool": False,
    }  # fmt: skip


def test_options_of_the_network():
    net = built(model="dia_cifar_resnet", model_options={"depth": 20, "block": "basic"}, input_size=32)
    assert net.recipe["options"] == {"depth": 20, "block": "basic", "input_size": 32}
    assert "no option 'scheme'" in failing(model="resnet18_v1b", model_options={"scheme": "1"})
    assert "drop_rate: given alone and by option model_options" in failing(
        drop_rate=0.1, model_options={"drop_rate": 0}
    )


def test_the_open_atac_network_without_a_name_for_the_activation():
    net = built(1000, model="atac_resnet50_v1b", r=2, act_layers=2)
    assert net.recipe["options"] == {"act_layers": 2, "reduction": 2}
    again = built(1000, model="atac_resnet50_v1b", r=2, act_layers=2, act_type="ChaATAC")
    assert repr(again) == repr(net)
    assert ["ChaATAC" in repr(stage) for stage in (net.layer2, net.layer3)] == [False, True]


def test_schemes_as_bits_and_as_codes():
    """EAN's own example: 1001011010011011 in blocks of 3, 4, 6 and 3."""
    coded = built(1000, model="forward_config_share_sge_resnet50", config_codes=[4, 11, 19, 3])
    assert coded.recipe["options"] == {"scheme": "1001011010011011"}
    assert [block.post is None for block in coded.layer1] == [False, True, True]
    plain = built(attention="se", scheme="100000001", shared=True)
    assert entries(plain) == [{"slot": "post", "name": "se", "scheme": "100000001", "shared": True}]


@pytest.mark.parametrize("options", [{"model": "eca_resnet50"}, {"model": "resnet50_v1b", "attention": "eca"}])
def test_kernel_sizes_of_eca(options):
    net = built(1000, ksize="3557", **options)
    sizes = [getattr(net, f"layer{i}")[0].post.conv.weight.shape[-1] for i in (1, 2, 3, 4)]
    assert sizes == [3, 5, 5, 7]
    assert net.recipe["model"] == "resnet50_v1b"


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


def test_an_attention_with_its_options():
    net = built(attention="SE", r=4, attention_options={"bias": False}, last_gamma=True, input_size=20)
    assert entries(net) == [{"slot": "post", "name": "SE", "options": {"bias": False, "reduction": 4}}]
    assert net.recipe["options"] == {"last_gamma": True, "input_size": 20}


def test_an_explicit_reduction_wins_over_r():
    assert entries(built(attention="se", r=4, attention_options={"reduction": 8}))[0]["options"] == {"reduction": 8}


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


def test_a_plan_file(tmp_path):
    plan = Plan([{"name": "se", "scheme": "101010101"}])
    (tmp_path / "plan.json").write_text(plan.to_json())
    assert built(plan=str(tmp_path / "plan.json")).recipe["plan"] == plan.to_dict()


def test_a_parameter_file(tmp_path):
    net = built(attention="eca")
    net.initialize(mx.init.Xavier())
    save_params(net, tmp_path / "net.params")
    again = built(attention="eca", pretrained=str(tmp_path / "net.params"))
    x = mx.nd.random.normal(shape=(1, 3, 8, 8))
    assert (again(x).asnumpy() == net(x).asnumpy()).all()
    assert "is of another network" in failing(attention="se", pretrained=str(tmp_path / "net.params"))


def test_slot_is_a_flag():
    net = build(ModelConfig(model="resnet50_v1b", attention="se", slot="inner"), 10)
    (entry,) = net.recipe["plan"]["entries"]
    assert (entry["slot"], net.layer1[0].post) == ("inner", None)
    assert net.layer1[0].inner.mlp[2].weight.shape[0] == 64
    net = build(ModelConfig(model="resnet18_v1b", attention="bam", slot="post"), 10)
    assert net.recipe["plan"]["entries"][0]["stages"] is None  # no longer between stages
    with pytest.raises(UserError, match="--slot needs an --attention"):
        ModelConfig(model="resnet18_v1b", slot="inner")
    with pytest.raises(UserError, match="slot must be one of post, inner"):
        build(ModelConfig(model="resnet18_v1b", attention="se", slot="middle"), 10)
    with pytest.raises(UserError, match="se needs a 'inner' slot; this backbone has post, stage"):
        build(ModelConfig(model="mobilenet_v2", attention="se", slot="inner"), 10)


def test_codes_count_the_blocks_that_are_given():
    options = {"blocks": [1, 1, 2, 1]}
    config = ModelConfig(model="resnet18_v1b", attention="se", model_options=options, config_codes=(1, 0, 2, 1))
    assert build(config, 10).recipe["plan"]["entries"][0]["scheme"] == "10101"
    with pytest.raises(UserError, match="blocks must list 4 whole numbers, one a stage, got 3"):
        build(ModelConfig(**{**config.to_dict(), "model_options": {"blocks": 3}}), 10)
