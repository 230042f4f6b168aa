"""What the options of a run mean together."""

import mxnet as mx
import pytest

from gluon_attn import Plan, save_params
from gluon_attn.config.model import ModelConfig
from gluon_attn.models.build import build
from gluon_attn.utils.errors import UserError


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


def test_options_of_the_network():
    net = built(model="dia_cifar_resnet", model_options={"depth": 20, "block": "basic"}, input_size=32)
    assert net.recipe["options"] == {"depth": 20, "block": "basic", "input_size": 32}
    assert "no option 'scheme'" in failing(model="resnet18_v1b", model_options={"scheme": "1"})
    assert "drop_rate: given alone and by option model_options" in failing(
        drop_rate=0.1, model_options={"drop_rate": 0}
    )


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


def test_an_attention_with_its_options():
    net = built(attention="SE", r=4, attention_options={"bias": False}, last_gamma=True, input_size=20)
    assert entries(net) == [{"slot": "post", "name": "SE", "options": {"bias": False, "reduction": 4}}]
    assert net.recipe["options"] == {"last_gamma": True, "input_size": 20}


def test_an_explicit_reduction_wins_over_r():
    assert entries(built(attention="se", r=4, attention_options={"reduction": 8}))[0]["options"] == {"reduction": 8}


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
    with pytest.raises(UserError, match="option slot needs option attention"):
        ModelConfig(model="resnet18_v1b", slot="inner")
    with pytest.raises(UserError, match="slot must be one of post, inner"):
        build(ModelConfig(model="resnet18_v1b", attention="se", slot="middle"), 10)
    with pytest.raises(UserError, match="se needs a 'inner' slot; this backbone has post, stage"):
        build(ModelConfig(model="mobilenet_v2", attention="se", slot="inner"), 10)


def test_codes_count_the_blocks_that_are_given():
    options = {"blocks": [1, 1, 2, 1]}
    config = ModelConfig(model="resnet18_v1b", attention="se", model_options=options, config_codes=(1, 0, 2, 1))
    assert build(config, 10).recipe["plan"]["entries"][0]["scheme"] == "10101"
    with pytest.raises(UserError, match="blocks must list 4 whole numbers, one per stage, got 3"):
        build(ModelConfig(**{**config.to_dict(), "model_options": {"blocks": 3}}), 10)
