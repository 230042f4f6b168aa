"""`gluon-attn cost`, as a user calls it."""

import json

import pytest

from gluon_attn.cli import main
from gluon_attn.models.scheme import Scheme


def test_cost_table(capsys):
    assert main(["cost", "cifar_resnet20_v1", "--attention", "se"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("cifar_resnet20_v1, 10 classes, one image of 3x32x32\n")
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.strip()}
    assert rows["total"][:3] == ["10", "274,847", "40,815,200"]
    assert rows["attention"][1:3] == ["2,373", "2,016"]
    assert {"stem", "stage1", "stage2", "stage3", "head"} <= set(rows)
    assert "published" not in rows


def test_cost_shows_the_published_figure(capsys):
    assert main(["cost", "cifar_resnet56_v1"]) == 0
    text = capsys.readouterr().out
    assert "855,770" in text
    assert text.endswith("\npublished by He et al. 2015, table 6\n")
    lines = {line.split("  ")[0]: line.split() for line in text.splitlines()}
    assert lines["parameters"] == ["parameters", "855,770", "0.85", "M", "850,000", "+0.68%"]


def test_cost_names_the_published_units(capsys):
    """The ECA-Nets count in powers of 2, and norms and activations too."""
    assert main(["cost", "eca_resnet18_official"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("eca_resnet18_official, 1000 classes, one image of 3x224x224\n")
    rows = [line.split() for line in text.splitlines() if "%" in line]
    assert rows[0] == ["parameters", "11,689,556", "11.15", "Mi", "11,689,556", "+0.00%"]
    assert [*rows[1][:4], *rows[1][5:7]] == ["MACs", "and", "other", "operations", "1.70", "Gi"]
    assert main(["cost", "eca_resnet18_official", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["published"]["rows"]
    assert [row["what"] for row in rows] == ["parameters", "MACs and other operations"]
    assert rows[0]["difference"] == 0
    assert abs(rows[1]["difference"]) < 0.01


def test_cost_as_json_with_the_training_scripts_flags(capsys):
    flags = ["--act-type", "ChaATAC", "--useReLU", "--r", "2", "--blocks", "1", "--classes", "100"]
    assert main(["cost", "atac", *flags, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["model"], found["params"] + found["fixed"], found["macs"]) == ("atac_cifar_resnet", 95434, 14342400)
    assert "layers" not in found
    assert main(["cost", "atac", *flags, "--json", "--layers"]) == 0
    layers = json.loads(capsys.readouterr().out)["layers"]
    assert sum(row["macs"] for row in layers) == 14342400


def test_cost_of_options_and_sizes(capsys):
    assert main(
        ["cost", "cifar_resnet20_v1", "--attention", "se", "--attention-options", "reduction=8", "bias=false",
         "--input-size", "64", "--json"]
    ) == 0  # fmt: skip
    found = json.loads(capsys.readouterr().out)
    assert found["input_shape"] == [3, 64, 64]
    assert found["attention"]["params"] == 3 * 2 * (16 * 2 + 32 * 4 + 64 * 8)
    assert found["macs"] > 4 * 40_000_000


def test_cost_of_a_scheme(capsys, tmp_path):
    Scheme("010000100", "cifar_resnet20_v1", "se", {"reduction": 4}, network={"norm": "group"}).save(
        tmp_path / "s.json"
    )
    of_file = ["--scheme", str(tmp_path / "s.json")]
    written = ["--attention", "se", "--attention-options", "reduction=4", "--shared", "--model-options", "norm=group"]
    found = []
    for flags in (of_file, [*written, "--scheme", "010000100"], [*written, "--config-codes", "2", "0", "4"]):
        assert main(["cost", "cifar_resnet20_v1", *flags, "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0] == found[1] == found[2]
    assert main(["cost", "cifar_resnet20_v1", *written, "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert found[0]["params"] < whole["params"]
    assert found[0]["macs"] < whole["macs"]


def test_cost_by_layer(capsys):
    assert main(["cost", "cifar_resnet20_v1", "--layers"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["features/0", "Convolution", "16x32x32", "432", "442,368", "0"] in lines


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["cost", "cifar_resnet2_v1"], "did you mean"),
        (["cost", "cifar_resnet20_v1", "--attention", "sse"], "unknown attention 'sse'"),
        (["cost", "cifar_resnet20_v1", "--attention", "se", "--attention-options", "x=1"], "has no option 'x'"),
        (
            ["cost", "cifar_resnet20_v1", "--attention", "se", "--attention-options", "x"],
            "expected NAME=VALUE, got 'x'",
        ),
        (["cost", "cifar_resnet20_v1", "--classes", "0"], "must be a whole number above 0"),
        (["cost", "cifar_resnet20_v1", "--plan", "nowhere.json"], "nowhere.json"),
        (["cost", "cifar_resnet20_v1", "--scheme", "nowhere.json"], "nowhere.json"),
        (["cost", "cifar_resnet20_v1", "--scheme", "010000100"], "--scheme and --config-codes need an --attention"),
        (["cost", "cifar_resnet20_v1", "--attention", "se", "--scheme", "01"], "2 bits, the network 9 blocks"),
        (
            ["cost", "fbresnet50", "--attention", "se", "--config-codes", "9", "0", "0", "0"],
            "numbers up to 7, 15, 63, 7",
        ),
        (["cost"], "required: MODEL"),
    ],
)
def test_errors_are_one_line(capsys, argv, message):
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
