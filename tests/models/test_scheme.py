"""Schemes as bits, as codes and as files; the published ones."""

import json

import pytest
from conftest import ROOT

from gluon_attn import get_model
from gluon_attn.models.resnet.imagenet import FBRESNET_BLOCKS as BLOCKS
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
    with pytest.raises(UserError, match="option config_codes takes numbers up to 7, 15, 63, 7, one per stage"):
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
        ('{"version": 2, "scheme": "1"}', "version 2 is not supported; this release reads 1"),
        ('{"version": 1, "scheme": "1", "modle": "x"}', "unknown config key 'modle'; did you mean model?"),
        ('{"version": 1, "scheme": "12"}', "option scheme must be zeros and ones, one per block, got '12'"),
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
        get_model("fbresnet50", 10, plan=Scheme("1010").plan())


def test_a_scheme_of_a_network_whose_blocks_are_an_option():
    scheme = Scheme("1010", "resnet18_v1b", network={"blocks": [1, 1, 1, 1]})
    net = get_model(scheme.model, 10, plan=scheme.plan(), **scheme.network_options())
    stages = (net.layer1, net.layer2, net.layer3, net.layer4)
    connected = [stage[0].post is not None for stage in stages]
    assert connected == [True, False, True, False]
