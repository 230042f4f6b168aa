"""Networks by name: names, options, recipes, files, and what is refused."""

import json
import re

import mxnet as mx
import pytest

import gluon_attn
from gluon_attn import Plan, get_model, list_models, save_params
from gluon_attn.attention.base import ATTENTIONS
from gluon_attn.config.card import Card
from gluon_attn.models.factory import attention_entry, model_info
from gluon_attn.utils.errors import UserError

CIFAR = [f"cifar_resnet{depth}_v{version}" for depth in (110, 164, 20, 32, 44, 56) for version in (1, 2)]


def failing(*arguments, **options):
    """The message of the `UserError`, which must be one line."""
    with pytest.raises(UserError) as caught:
        get_model(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_names():
    assert list_models() == sorted(list_models())
    assert {"atac_cifar_resnet", *CIFAR} <= set(list_models())
    assert gluon_attn.get_model is get_model


def test_names_by_pattern_and_attention():
    assert list_models("ECA_mobilenet*") == ["eca_mobilenet_v2", "eca_mobilenet_v2_formula"]
    assert list_models("*resnet20_?[12]") == ["cifar_resnet20_v1", "cifar_resnet20_v2"]
    assert list_models("mobilenet") == []
    assert list_models("*18*", attention="CBAM") == ["cbam_resnet18"]
    assert list_models(attention="gct") == []
    with pytest.raises(UserError, match="did you mean"):
        list_models(attention="cbamm")


def modules(net):
    """The names of the attentions in a network."""
    kinds = {ATTENTIONS.get(name): name for name in ATTENTIONS.names()}
    own = {kinds[type(net)]} if type(net) in kinds else set()
    return own.union(*(modules(child) for child in net._children.values()))


@pytest.mark.parametrize("name", [name for name in list_models() if model_info(name).own_plan])
def test_the_list_knows_the_attentions_of_a_network(name):
    depth = re.search(r"resnet(\d+)", name)
    if depth and int(depth[1]) > 56:
        pytest.skip("as the same network with fewer layers")
    options = {"layers": 6, "channels": 4} if "darts" in name else {}
    assert modules(get_model(name, **options)) - {"identity"} == set(model_info(name).attentions)


def test_attention_goes_where_it_belongs():
    net = get_model("cifar_resnet20_v1", 10, attention="SE")
    assert [type(block.post).__name__ for block in net.features[3]] == ["SE"] * 3
    net = get_model("cifar_resnet20_v1", 10, attention={"name": "cha_atac", "reduction": 4})
    assert net.features[2][0].post is None
    assert net.features[2][0].body[2].mlp[0].weight.shape == (4, 16, 1, 1)
    assert attention_entry(model_info("cifar_resnet20_v1"), "ChaATAC").slot == "act"
    assert attention_entry(model_info("mobilenet_v2"), "eca", {"kernel_size": 3}).options == {"kernel_size": 3}


def test_a_plan_is_taken_as_object_and_as_plain_data():
    plan = Plan([{"name": "eca", "stages": [3]}])
    for given in (plan, plan.to_dict()):
        net = get_model("cifar_resnet20_v2", 10, plan=given)
        assert net.features[3][0].post is None
        assert type(net.features[4][0].post).__name__ == "ECA"


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (["cifar_resnet21_v1"], {}, "unknown model 'cifar_resnet21_v1'; did you mean cifar_resnet"),
        (["zzz"], {}, "unknown model 'zzz'; choose from "),
        (["cifar_resnet20_v1", 0], {}, "classes must be a whole number above 0, got 0"),
        (["cifar_resnet20_v1", "10"], {}, "classes must be a whole number above 0, got '10'"),
        (["cifar_resnet20_v1", 2.0], {}, "classes must be a whole number above 0, got 2.0"),
        (["cifar_resnet20_v1"], {"classes": True}, "classes must be a whole number above 0, got True"),
        (
            ["cifar_resnet20_v1"],
            {"drop": 0.1},
            "model 'cifar_resnet20_v1' has no option 'drop'; did you mean drop_rate",
        ),
        (["cifar_resnet20_v1"], {"blocks": 2}, "model 'cifar_resnet20_v1' has no option 'blocks'; "),
        (["atac"], {"last_gamma": True}, "model 'atac' has no option 'last_gamma'; "),
        (["cifar_resnet20_v1"], {"attention": "se", "plan": Plan()}, "give an attention or a plan, not both"),
        (
            ["atac"],
            {"attention": "se"},
            "model 'atac' has its attention in its name; take a plain backbone for another",
        ),
        (["atac"], {"plan": Plan()}, "model 'atac' has its attention in its name; take a plain backbone for another"),
        (["cifar_resnet20_v1"], {"attention": "sse"}, "unknown attention 'sse'; did you mean "),
        (
            ["cifar_resnet20_v1"],
            {"attention": {"reduction": 2}},
            "an attention given as a mapping needs its 'name', got {'red",
        ),
        (["cifar_resnet20_v1"], {"attention": {"name": "se", "r": 2}}, "attention 'se' has no option 'r'; known: "),
        (["cifar_resnet20_v1"], {"plan": {"entries": []}}, "a plan is a mapping with the keys 'version' and 'entries'"),
        (["cifar_resnet20_v1"], {"plan": "p.json"}, "plan must be a Plan or its plain data, got 'p.json'; Plan.load"),
        (["cifar_resnet20_v1"], {"drop_rate": 1}, "drop_rate must be from 0 to below 1, got 1"),
        (["cifar_resnet20_v2"], {"drop_rate": "x"}, "drop_rate must be from 0 to below 1, got 'x'"),
        (["cifar_resnet20_v1"], {"input_size": 0}, "input_size must be a whole number above 0, got 0"),
        (["atac"], {"input_size": "32"}, "input_size must be a whole number above 0, got '32'"),
        (["cifar_resnet20_v2"], {"last_gamma": True}, "last_gamma is for version 1 networks: version 2 blocks end in"),
        (["atac"], {"num_classes": 4}, "model 'atac' has no option 'num_classes'; did you mean classes?"),
        (
            ["efficientnet_b0"],
            {"multiplier": 2},
            "model 'efficientnet_b0' has no option 'multiplier'; did you mean width?",
        ),
        (["mixnet_s"], {"width": 2}, "model 'mixnet_s' has no option 'width'; did you mean multiplier?"),
        (
            ["se_resnext50_32x4d"],
            {"attention": "eca"},
            "model 'se_resnext50_32x4d' has its attention in its name; take resnext50_32x4d for another",
        ),
        (["atac"], {"blocks": 0}, "blocks must be a whole number above 0, got 0"),
        (["atac"], {"blocks": 1.5}, "blocks must list 3 whole numbers, one per stage, got 1.5"),
        (["atac"], {"act_type": "rellu"}, "unknown act_type 'rellu'; choose an activation (elu, gelu, hard_swish, "),
        (["atac"], {"act_type": "elu", "relu": True}, "relu: options of ChaATAC, which activation 'elu' does not have"),
        (["atac"], {"act_layers": 5}, "act_layers must be from 0 to 4 in this network, got 5"),
        (["atac"], {"act_layers": -1}, "act_layers must be from 0 to 4 in this network, got -1"),
        (["atac"], {"act_layers": "4"}, "act_layers must be from 0 to 4 in this network, got '4'"),
        (["atac"], {"act_order": "post"}, "act_order must be bac or pre, got 'post'"),
        (["atac"], {"reduction": 0}, "reduction must be a whole number above 0, got 0"),
        (["cifar_resnet20_v1"], {"pretrained": True}, "there are no published parameters of 'cifar_resnet20_v1' as "),
    ],
)
def test_refused(arguments, options, words):
    assert failing(*arguments, **options).startswith(words)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cifar_resnet20_v1", {}),
        ("cifar_resnet20_v1", {"attention": {"name": "SE", "reduction": 4}, "drop_rate": 0.3, "last_gamma": True}),
        ("cifar_resnet20_v2", {"plan": Plan([{"name": "cbam", "scheme": "110100010", "shared": True}])}),
        ("atac", {"blocks": 2, "act_layers": 2, "act_order": "pre", "reduction": 4, "relu": False, "input_size": 20}),
        ("atac_cifar_resnet", {"act_type": "prelu", "blocks": 1}),
    ],
)
def test_a_card_rebuilds_the_network(name, options, tmp_path):
    net = get_model(name, 7, **options)
    net.initialize(mx.init.Xavier())
    save_params(net, tmp_path / "net.params")
    text = json.dumps(Card(**net.recipe, dataset="digits").to_dict())
    card = Card.from_dict(json.loads(text))
    assert card.model == model_info_name(name)
    again = get_model(
        card.model, card.classes, plan=card.plan, pretrained=tmp_path / "net.params", **card.options
    )  # fmt: skip
    assert again.recipe == net.recipe
    assert repr(again) == repr(net)
    x = mx.nd.random.normal(shape=(2, 3, 16, 16))
    assert (again(x).asnumpy() == net(x).asnumpy()).all()


def model_info_name(name):
    return "atac_cifar_resnet" if name == "atac" else name


def test_the_recipe_does_not_follow_its_source():
    options = {"name": "se", "reduction": 4}
    net = get_model("cifar_resnet20_v1", 10, attention=options)
    options["reduction"] = 8
    assert net.recipe["plan"]["entries"][0]["options"] == {"reduction": 4}
    assert options["name"] == "se"


def test_records():
    assert model_info("cifar_resnet56_v2").act_stages == 4
    assert model_info("cifar_resnet56_v1").act_stages == 3
    assert model_info("atac") is model_info("atac_cifar_resnet")
    assert model_info("atac").own_plan
    options = model_info("cifar_resnet20_v1").options()
    assert options.items() >= {"input_size": 32, "drop_rate": 0.0, "last_gamma": False, "channels": None}.items()


def test_files_of_other_networks_are_refused(tmp_path):
    net = get_model("cifar_resnet20_v1", 10, attention="se")
    net.initialize()
    save_params(net, tmp_path / "se.params")
    assert get_model("cifar_resnet20_v1", 10, attention="se", pretrained=str(tmp_path / "se.params")) is not None
    assert "is of another network: it has features.2.0.post.mlp.0.bias" in failing(
        "cifar_resnet20_v1", 10, pretrained=tmp_path / "se.params"
    )
    assert "output.weight has shape (10, 64), here (100, 64)" in failing(
        "cifar_resnet20_v1", 100, attention="se", pretrained=tmp_path / "se.params"
    )
    assert "does not exist" in failing("cifar_resnet20_v1", 10, pretrained=tmp_path / "none.params")
    content = (tmp_path / "se.params").read_bytes()
    (tmp_path / "half.params").write_bytes(content[: len(content) // 2])
    assert "is damaged" in failing("cifar_resnet20_v1", 10, attention="se", pretrained=tmp_path / "half.params")
