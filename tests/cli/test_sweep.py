"""`gluon-attn sweep` on synthetic images: the reference's own file, its page and recipe, and W&B's own agent."""

import contextlib
import datetime
import json
import random

import pytest
import yaml

pytest.importorskip("optuna", reason="needs Optuna")

from gluon_attn.cli import main
from gluon_attn.cli.train import script_options
from gluon_attn.config.train import RunConfig
from gluon_attn.runs.options import from_keywords
from gluon_attn.runs.study.sweep_file import read_sweep
from gluon_attn.runs.sweep import make_plan, sweep
from gluon_attn.utils.errors import UserError

SMALL = [
    *("--dataset", "synthetic", "--train-images", "64", "--val-images", "40", "--input-size", "8", "-j", "0"),
    *("--model", "cifar_resnet20_v1", "--num-epochs", "1", "--save-period", "0"),
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
        ("", "must hold a sweep: a mapping with the keys method and parameters"),
        ("just text", "must hold a sweep"),
        ("a: [", "is not valid YAML"),
        ("\0\1\2", "is not valid YAML"),
        ("parameters: {lr: {values: []}}", "parameter lr: optim.lr has no values"),
        ("parameters: {lr: {values: [2020-01-01]}}", "parameter lr: no option takes datetime.date"),
        ("method: random\nparameters: {lr: {values: [1, 2], probabilities: [0.9, 0.9]}}", "their sum must be 1"),
        ("method: random\nparameters: {lr: {values: [1, 2], probabilities: [.nan, 1]}}", "their sum must be 1"),
        ("method: random\nparameters: {lr: {values: [1, 2], probabilities: [a, b]}}", "a list of numbers as prob"),
        ("method: random\nparameters: {lr: {values: [1, 2], probabilities: 1}}", "a list of numbers as probabilities"),
        ("method: random\nparameters: {lr: {distribution: log_uniform, min: 1, max: 1000}}", "needs the logarithm of"),
        ("method: random\nparameters: {lr: {distribution: normal, sigma: .inf}}", "needs a number as sigma"),
        ("method: random\nparameters: {lr: {distribution: q_normal, q: .nan}}", "needs a number as q, got nan"),
        ("method: random\nparameters: {lr: {distribution: [normal]}}", "needs the name of a distribution"),
        ("method: random\nparameters: {lr: {min: true, max: 2}}", "needs a number as min, got True"),
        ("metric: {name: top5, goal: maximize}\nparameters: {lr: {values: [1]}}", "no epoch has val_top5"),
        ("parameters: {run_dir: {values: [a, b]}}", "--run-dir is for single runs: leave it out"),
        ("parameters: {att: {values: [ECA, EKA]}}", "unknown attention 'EKA'"),
        ("- a", "must hold a sweep"),
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
    words = ["sweep", write(tmp_path, text), "--output", str(tmp_path / "study"), *SMALL, "--classes", "4"]
    refused([*words, *(["--trials", "2"] if "probabilities" in text or "distribution" in text else [])], message)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(("flag", "value"), [("--trials", "0"), ("--trials", "-3"), ("--workers", "0")])
def test_numbers_that_do_not_fit(flag, value, tmp_path, refused):
    file = write(tmp_path, "parameters: {lr: {values: [0.1]}}")
    refused(["sweep", file, flag, value, "--output", str(tmp_path / "study"), *SMALL], "must be a whole number above 0")
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize("options", [{"trials": 0}, {"workers": 0}, {"max_failures": -1}])
def test_numbers_that_do_not_fit_in_python(options, tmp_path):
    file = write(tmp_path, "parameters: {lr: {values: [0.1]}}")
    with pytest.raises(UserError, match=f"option {next(iter(options))} must be at least"):
        sweep(file, output=tmp_path / "study", dataset="synthetic", **options)
    assert not (tmp_path / "study").exists()


def test_random_files_are_sweeps_or_one_line():
    """Whatever YAML holds, it is understood or refused, and never a traceback."""
    draw = random.Random(1)
    scalars = [None, True, 0, -1, 3, 0.5, float("nan"), float("inf"), 1e308, "", "x", "1e-3", datetime.date(2020, 1, 1)]
    keys = ["values", "value", "min", "max", "mu", "sigma", "q", "probabilities", "distribution", "parameters", 3]
    names = ["lr", "optim.lr", "optim", "att", "batch_size", "seed", "nothing", 7]
    kinds = ["uniform", "log_uniform", "q_normal", "inv_log_uniform", "constant", "categorical", "int_uniform"]

    def value(depth=0):
        what = draw.random()
        if what < 0.3 and depth < 3:
            return [value(depth + 1) for _ in range(draw.randrange(4))]
        if what < 0.5 and depth < 3:
            return {draw.choice(keys + names): value(depth + 1) for _ in range(draw.randrange(3))}
        return draw.choice(scalars + kinds)

    def parameter():
        return {draw.choice(keys): value() for _ in range(draw.randrange(1, 4))}

    understood = 0
    for _ in range(3000):
        data = {"method": draw.choice(["grid", "random", "bayes"]), "metric": {"name": "acc", "goal": "maximize"}}
        data["parameters"] = {draw.choice(names): draw.choice([parameter, value])() for _ in range(draw.randrange(3))}
        top = ["metric", "method", "run_cap", "early_terminate", "command", "program", "name", "parameters", "other"]
        data |= {draw.choice(top): value() for _ in range(draw.randrange(2))}
        with contextlib.suppress(UserError):
            make_plan(read_sweep(data), from_keywords(RunConfig, {}), 2)
            understood += 1
    assert understood > 5


def test_a_missing_file(tmp_path, refused):
    refused(["sweep", str(tmp_path / "none.yaml")], "cannot read config")
