import json
import re

import pytest

import gluon_attn
from gluon_attn.cli import main


@pytest.fixture
def printed(capsys):
    """What `gluon-attn models` prints for some words, as lines."""

    def call(*words):
        assert main(["models", *words]) == 0
        return capsys.readouterr().out.splitlines()

    return call


def test_models(printed):
    rows = {row["name"]: row for row in json.loads("\n".join(printed("--json")))}
    assert list(rows) == gluon_attn.list_models()
    assert rows["atac_cifar_resnet"]["options"]["blocks"] == 3
    assert "params" not in rows["cifar_resnet20_v1"]


def test_the_list_is_short_and_has_every_model(printed):
    lines = printed()
    assert len(lines) < 120
    assert max(map(len, lines)) <= 80
    named = set()
    for line in lines:
        name, *cells = re.split("  +", line.strip())
        depths = next((cell for cell in cells if re.fullmatch(r"\d+( \d+)+", cell)), None)
        named |= {name.replace("N", depth, 1) for depth in depths.split()} if depths else {name}
    assert set(gluon_attn.list_models()) <= named
    rows = [re.split("  +", line.strip()) for line in lines]
    assert ["eca_resnetN", "eca", "18 34 50 101 152", "ecanet, timm"] in rows
    assert lines[0] == "images of 32x32, which take any --attention:"
    assert rows[1] == ["name", "N", "weights of", "files"]
    assert ["cifar_resnetN_v1", "20 32 44 56 110 164", "gluoncv", "10"] in rows


def test_some_models(printed, refused):
    lines = printed("eca_[mr]*")
    assert [line.split()[0] for line in lines[1:9]] == [
        "name", "eca_mobilenet_v2", "eca_mobilenet_v2_formula", "eca_resnet18", "eca_resnet18_official", "eca_resnet34",
        "eca_resnet34_official", "eca_resnet50",
    ]  # fmt: skip
    assert printed("--filter", "eca_[mr]*") == lines
    assert printed("eca") == printed("*eca*")  # a word is looked for in the names
    assert [line.split() for line in printed("--attention", "ge_theta_plus") if line.startswith("  ge")] == [
        ["ge_resnet50", "ge_theta_plus"]
    ]
    refused(["models", "'eca_resnet5*'"], "no name matches")
    refused(["models", "eca_resnet51"], "no name matches 'eca_resnet51', did you mean eca_resnet")
    refused(["models", "--attention", "gct"], "give any model --attention gct")
    refused(["models", "--attention", "eca", "se_resnet18"], "no name matches 'se_resnet18', did you mean eca_resnet18")


def test_several_patterns_each_of_which_must_match(printed, refused):
    words = ["--filter", "MobileNet_v[2]", "fbres?et50", "--filter", "fa_*"]
    names = ["fa_resnet50", "fbresnet50", "mobilenet_v2"]
    assert [row["name"] for row in json.loads("\n".join(printed(*words, "--json")))] == names
    assert "  mobilenet_v2  gluoncv, torchvision" in printed("--filter", "mobile*_v2")
    refused(["models", *words, "zzz"], "no name matches 'zzz'; without a pattern all are listed")
    refused(["models", "--filter", "seresnet152d"], "gluon-attn convert NAME brings the weights of timm:seresnet152d")
    refused(["models", "--pretrained", "--filter", "digits_*", "nist_*"], "no name matches 'nist_*'")


def test_files_and_weights_of_models(printed, monkeypatch, caplog):
    (row,) = json.loads("\n".join(printed("att_darts_cifar", "--json")))
    assert (row["weights_of"], row["published"]) == (["att-darts"], ["digits_att_darts"])
    monkeypatch.setenv("GLUON_ATTN_HOME", "/nowhere")
    assert printed("att_darts_cifar")[1:3] == [
        "  name             attention      weights of", "  att_darts_cifar  a2, bam, cbam  att-darts"
    ]  # fmt: skip
    assert "published files are left out: /nowhere has no index.json" in caplog.text


def test_options_of_models(printed):
    lines = printed("atac_cifar", "--long")
    assert lines[0].split() == ["name", "input", "options"]
    assert lines[1].split("  ") == [
        "atac_cifar_resnet", "3x32x32",
        "blocks=3, channels, act_type=ChaATAC, act_layers=4, act_order=bac, reduction, relu, global_pool, "
        "input_size=32, drop_rate=0.0",
    ]  # fmt: skip
    assert not any("None" in line for line in printed("--long"))


def test_models_with_cost(printed):
    header, row = printed("cifar_resnet20_v1", "--cost")
    assert header.split() == ["name", "input", "params", "MACs"]
    assert row.split() == ["cifar_resnet20_v1", "3x32x32", "272,474", "40,813,184"]


def test_some_published_models(printed):
    assert [row["name"] for row in json.loads("\n".join(printed("--pretrained", "*_se", "--json")))] == [
        "digits_resnet20_se"
    ]
