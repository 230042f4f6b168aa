"""Schemes as bits, as codes and as files; the published ones."""

import json

import pytest
from conftest import ROOT

from gluon_attn import get_model
from gluon_attn.config.model import ModelConfig
from gluon_attn.models.build import build
from gluon_attn.models.resnet.fbresnet import BLOCKS
from gluon_attn.models.scheme import Scheme, by_stage, from_codes, to_codes
from gluon_attn.utils.errors import UserError

SGE, DIA = "1001011010011011", "1100011110010011"
PUBLISHED = ROOT / "params" / "schemes"


@pytest.mark.parametrize(("bits", "codes"), [(SGE, (4, 11, 19, 3)), (DIA, (6, 3, 50, 3)), ("0" * 16, (0,) * 4)])
def test_bits_and_codes(bits, codes):
    assert to_codes(bits, BLOCKS) == codes
    assert from_codes(codes, BLOCKS) == bits


def test_bits_by_stage():
    assert by_stage(SGE, BLOCKS) == ["100", "1011", "010011", "011"]
    with pytest.raises(UserError, match="the scheme has 3 bits, the network 16 blocks"):
        by_stage("101", BLOCKS)


@pytest.mark.parametrize("codes", [(8, 0, 0, 0), (-1, 0, 0, 0), (1, 2, 3)])
def test_codes_that_do_not_fit(codes):
    with pytest.raises(UserError, match="takes numbers up to 7, 15, 63, 7, one a stage"):
        from_codes(codes, BLOCKS)


def test_a_file_comes_back_as_it_was(tmp_path):
    scheme = Scheme("101010101", "cifar_resnet20_v1", "se", {"reduction": 4}, 97.5, "a search")
    scheme.save(tmp_path / "found" / "best.json")
    assert Scheme.load(tmp_path / "found" / "best.json") == scheme
    assert json.loads((tmp_path / "found" / "best.json").read_text())["version"] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "a scheme is a mapping with"),
        ('{"version": 1}', "a scheme is a mapping with"),
        ('{"version": 2, "scheme": "1"}', "version 2 is not known here; this release reads 1"),
        ('{"version": 1, "scheme": "1", "modle": "x"}', "unknown config key 'modle'; did you mean model?"),
        ('{"version": 1, "scheme": "12"}', "option scheme must be zeros and ones, one a block, got '12'"),
        ("{", "is not valid JSON"),
    ],
)
def test_a_bad_file_is_one_line(text, words, tmp_path):
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(UserError) as error:
        Scheme.load(tmp_path / "s.json")
    assert words in str(error.value)
    assert "s.json" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("name", "bits"), [("sge", SGE), ("dia", DIA)])
def test_the_published_schemes(name, bits):
    scheme = Scheme.load(PUBLISHED / f"ean_{name}_fbresnet50.json")
    assert scheme.scheme == bits
    net, named = get_model(scheme.model, 10, plan=scheme.plan()), get_model(f"{name}_fbresnet50", 10, scheme=bits)
    assert repr(net.layer1) == repr(named.layer1)
    shapes = [{n: p.shape for n, p in x._collect_params_with_prefix().items()} for x in (net, named)]
    assert shapes[0] == shapes[1]


def test_a_scheme_of_another_network():
    with pytest.raises(UserError, match="the scheme has 4 bits, the network 16 blocks"):
        Scheme("1010").plan()


def test_a_network_of_a_file(tmp_path):
    path = tmp_path / "best.json"
    Scheme("010000100", "cifar_resnet20_v1", "se", {"reduction": 4}).save(path)
    net = get_model("cifar_resnet20_v1", 10, scheme=path)
    (entry,) = net.recipe["plan"]["entries"]
    assert (entry["scheme"], entry["shared"], entry["options"]) == ("010000100", True, {"reduction": 4})
    with pytest.raises(UserError, match=r"best.json is for cifar_resnet20_v1, not for cifar_resnet32_v1"):
        get_model("cifar_resnet32_v1", 10, scheme=path)
    with pytest.raises(UserError, match="give no attention and no plan beside it"):
        get_model("cifar_resnet20_v1", 10, attention="eca", scheme=path)
    built = build(ModelConfig(**Scheme.load(path).model_options()), 10)
    assert built.recipe["plan"] == net.recipe["plan"]


@pytest.mark.parametrize(
    "scheme",
    [
        Scheme("010000100", "cifar_resnet20_v1", "se", network={"norm": "group", "drop_rate": 0.5}),
        Scheme(DIA, "dia_fbresnet50", None, {"norm": "group", "reduction": 40, "last_gamma": True}),
    ],
)
def test_options_of_the_network(scheme, tmp_path):
    scheme.save(tmp_path / "s.json")
    size = 32 if scheme.attention else 224
    net = get_model(scheme.model, 10, scheme=tmp_path / "s.json", input_size=size)
    assert net.recipe["options"]["norm"] == "group"
    built = build(ModelConfig(**scheme.model_options()), 10, size)
    assert built.recipe == net.recipe
    assert get_model(scheme.model, 10, scheme=tmp_path / "s.json", norm="batch").recipe["options"]["norm"] == "group"


def test_a_network_that_names_its_attention(tmp_path):
    path = tmp_path / "best.json"
    found = Scheme(DIA, "dia_fbresnet50", None, {"reduction": 40})
    found.save(path)
    net = get_model("forward_dia_fbresnet50", 10, scheme=str(path))
    assert net.recipe["options"] == {"reduction": 40, "scheme": DIA}
    assert build(ModelConfig(**found.model_options()), 10).recipe["options"]["scheme"] == DIA
    with pytest.raises(UserError, match="dia_fbresnet50 has its attention in its name"):
        found.plan()


def test_a_file_in_place_of_bits(tmp_path):
    Scheme("010000100", "cifar_resnet20_v1", "se").save(tmp_path / "s.json")
    config = ModelConfig(attention="eca", scheme=str(tmp_path / "s.json"))
    assert build(config, 10).recipe["plan"]["entries"][0]["scheme"] == "010000100"
    with pytest.raises(UserError, match=r"or a \.json file"):
        ModelConfig(attention="eca", scheme="s.yaml")
