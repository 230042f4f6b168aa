"""`gluon-attn sweep` on synthetic images: the reference's own file, its page and recipe, and W&B's own agent."""

import json

import pytest
import yaml

pytest.importorskip("optuna", reason="needs Optuna")

from gluon_attn.cli import main
from gluon_attn.cli.train import script_options

SMALL = [
    *("--dataset", "synthetic", "--train-images", "64", "--val-images", "40", "--input-size", "16", "-j", "0"),
    *("--model", "cifar_resnet20_v1", "--num-epochs", "2"),
]
REFERENCE = """
program: train_cifar.py
method: bayes
metric:
  name: loss
  goal: minimize
parameters:
  att:
    values: ["ECA", "CBAM", "SE", "Triplet"]
  optimizer:
    values: ["adam", "sgd"]
  batch_size:
    values: [16, 32, 64]
"""


def write(folder, text):
    path = folder / "sweep.yaml"
    path.write_text(text)
    return str(path)


def test_the_reference_file_runs_as_it_is(tmp_path, capsys):
    folder = tmp_path / "study"
    assert main(["sweep", write(tmp_path, REFERENCE), "--trials", "3", "--output", str(folder), *SMALL]) == 0
    said = capsys.readouterr()
    assert "parameter att is our model.attention" in said.err
    assert "metric loss is our val_loss" in said.err
    found = json.loads((folder / "results.json").read_text())
    done = [run for run in found["runs"] if run["state"] == "done"]
    assert len(done) == 3
    best = min(done, key=lambda run: run["score"])
    assert found["best"] == best["number"]
    assert best["values"]["model.attention"] in ("ECA", "CBAM", "SE", "Triplet")
    recipe = yaml.safe_load((folder / "best.yaml").read_text())
    assert recipe["data"]["batch_size"] == best["values"]["data.batch_size"]
    options = script_options("train_cifar.py", ["--config", str(folder / "best.yaml")])
    assert options.config().model.attention == best["values"]["model.attention"]
    assert "http" not in (folder / "report.html").read_text().replace("http://www.w3.org", "")


def test_the_flags_of_wandbs_agent_are_understood():
    words = ["--att=ECA", "--optimizer=adam", "--batch_size=64"]
    config = script_options("train_cifar.py", words).config()
    assert (config.model.attention, config.optim.optimizer, config.data.batch_size) == ("ECA", "adam", 64)


def test_a_target_ends_a_sweep(tmp_path, capsys):
    text = (
        "method: grid\nmetric: {name: acc, goal: maximize, target: 0.0}\nparameters: {lr: {values: [0.1, 0.2, 0.3]}}\n"
    )
    folder = tmp_path / "study"
    assert main(["sweep", write(tmp_path, text), "--output", str(folder), *SMALL, "--batch-size", "64"]) == 0
    found = json.loads((folder / "results.json").read_text())
    assert [run["state"] for run in found["runs"]] == ["done", "waiting", "waiting"]


def test_flags_win_over_the_command_of_the_file_and_it_wins_over_defaults(tmp_path):
    from gluon_attn.cli.sweep import options_of

    file = write(tmp_path, "program: train_cifar.py\ncommand: ['${program}', --lr, '0.5', --wd, '0.3', '${args}']\n"
                           "parameters: {epochs: {values: [1, 2]}}\n")  # fmt: skip
    options, _, _ = options_of([file, "--wd", "0.2"])
    config = options.config()
    assert (config.optim.lr, config.optim.wd) == (0.5, 0.2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not valid YAML"),
        ("- a", "must hold a mapping"),
        ("method: grid", "sweep.yaml: no sweep: it has no key parameters"),
        ("parameters: {lr: {min: 2, max: 1}}", "has its minimum 2 above its maximum 1"),
        ("parameters: {lr: {values: [0.1, fast]}}", "--lr takes a number, got 'fast'"),
        ("program: my.py\nparameters: {lr: {values: [1]}}", "key program names my.py"),
        ("method: random\nparameters: {lr: {min: 0.0, max: 1.0}}", "method random has no end: give --trials"),
        ("parameters: {lr: {min: 0.0, max: 1.0}}", "optim.lr has no list of values, which a grid needs"),
        ("parameters: {num_epochs: {values: [1, 2]}}", "--num-epochs is varied by the sweep: leave it out"),
        ("parameters: {lr: {values: [1]}, optim: {parameters: {lr: {values: [2]}}}}", "optim.lr is varied twice"),
    ],
)
def test_what_is_no_sweep_is_one_line_and_nothing_is_written(text, message, tmp_path, refused):
    refused(["sweep", write(tmp_path, text), "--output", str(tmp_path / "study"), *SMALL], message)
    assert not (tmp_path / "study").exists()


def test_a_missing_file(tmp_path, refused):
    refused(["sweep", str(tmp_path / "none.yaml")], "cannot read config")
