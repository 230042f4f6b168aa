"""Sweep files: every distribution and key of the format, and one line for what cannot be honoured."""

import math

import pytest
import yaml

from gluon_attn.runs.study.space import Distribution, Factor
from gluon_attn.runs.study.sweep_file import read_sweep
from gluon_attn.utils.errors import UserError

#: what the ECA reproduction swept
REFERENCE = """
program: train_cifar.py
method: bayes
metric: {name: loss, goal: minimize}
parameters:
  att: {values: [ECA, CBAM, SE, Triplet]}
  optimizer: {values: [adam, sgd]}
  batch_size: {values: [64, 128, 256]}
"""


def sweep(**changes):
    return read_sweep({"method": "random", "parameters": {"lr": {"value": 0.1}}, **changes})


def one(method="random", **entry):
    return sweep(method=method, metric={"name": "acc", "goal": "maximize"}, parameters={"lr": entry}).space[0]


def test_the_reference_file():
    found = read_sweep(yaml.safe_load(REFERENCE))
    assert (found.program, found.method) == ("train_cifar.py", "bayes")
    assert found.space == (
        Factor("model.attention", ("ECA", "CBAM", "SE", "Triplet")),
        Factor("optim.optimizer", ("adam", "sgd")),
        Factor("data.batch_size", (64, 128, 256)),
    )
    assert (found.score.key, found.score.higher_is_better) == ("val_loss", False)
    assert found.notes == ("parameter att is our model.attention", "metric loss is our val_loss")


@pytest.mark.parametrize(
    ("entry", "kind", "low", "high", "step", "whole"),
    [
        ({"min": 0.0, "max": 2}, "uniform", 0, 2, None, False),
        ({"min": 1, "max": 9}, "uniform", 1, 9, None, True),
        ({"min": "1e-3", "max": 1}, "uniform", 0.001, 1, None, False),
        ({"distribution": "int_uniform", "min": 1, "max": 9}, "uniform", 1, 9, None, True),
        ({"distribution": "uniform", "min": 1, "max": 9}, "uniform", 1, 9, None, False),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": 0.1}, "uniform", 0, 1, 0.1, False),
        ({"distribution": "q_uniform", "min": 0, "max": 64, "q": 8}, "uniform", 0, 64, 8, True),
        ({"distribution": "log_uniform", "min": -2, "max": 0}, "log_uniform", math.exp(-2), 1, None, False),
        ({"distribution": "log_uniform_values", "min": 0.01, "max": 1}, "log_uniform", 0.01, 1, None, False),
        ({"distribution": "q_log_uniform_values", "min": 8, "max": 256, "q": 8}, "log_uniform", 8, 256, 8, True),
        ({"distribution": "inv_log_uniform_values", "min": 1, "max": 2}, "inv_log_uniform", 1, 2, None, False),
        ({"distribution": "normal"}, "normal", 0, 1, None, False),
        ({"mu": 3, "sigma": 0.5}, "normal", 3, 0.5, None, False),
        ({"distribution": "q_normal", "mu": 3, "sigma": 0.5, "q": 0.5}, "normal", 3, 0.5, 0.5, False),
        ({"distribution": "log_normal", "mu": -9}, "log_normal", -9, 1, None, False),
        ({"distribution": "q_log_normal", "mu": 2, "q": 2}, "log_normal", 2, 1, 2, True),
    ],
)
def test_distributions(entry, kind, low, high, step, whole):
    assert one(**entry) == Distribution("optim.lr", kind, low, high, step, whole)


def test_probabilities():
    assert one(values=[0.1, 0.2], probabilities=[0.25, 0.75]).weights == (0.25, 0.75)


def test_nested_and_fixed_parameters():
    inner = {"lr": {"values": [0.1, 0.2]}, "wd": {"value": 0}}
    found = sweep(parameters={"optim": {"parameters": inner}, "epochs": {"value": 3}})
    assert found.space == (Factor("optim.lr", (0.1, 0.2)),)
    assert found.fixed == {"optim.wd": 0, "train.num_epochs": 3}


@pytest.mark.parametrize(
    ("name", "key", "goal"),
    [
        ("val_loss", "val_loss", "minimize"), ("train_loss", "train_loss", "minimize"),
        ("Top-1 accuracy", "val_accuracy", "maximize"), ("val/acc", "val_accuracy", "maximize"),
        ("train_acc", "train_accuracy", "maximize"), ("top5", "val_top5", "maximize"),
    ],
)  # fmt: skip
def test_metrics(name, key, goal):
    found = sweep(metric={"name": name, "goal": goal, "target": 0.5})
    assert (found.score.key, found.score.higher_is_better, found.target) == (key, goal == "maximize", 0.5)
    assert found.notes == (() if name == key else (f"metric {name} is our {key}",))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"min_iter": 2}, {"min_resource": 2, "reduction_factor": 3}),
        ({"min_iter": 1, "eta": 2, "max_iter": 9}, {"min_resource": 1, "reduction_factor": 2, "max_resource": 9}),
        ({"max_iter": 27, "s": 2}, {"min_resource": 3, "reduction_factor": 3, "max_resource": 27}),
    ],
)
def test_hyperband(entry, expected):
    assert sweep(early_terminate={"type": "hyperband", **entry}).early == expected


def test_the_flags_of_a_command():
    words = ["${env}", "python3", "${program}", "--num-epochs", "2", "${args}"]
    assert sweep(command=words, program="src/train_cifar.py").flags == ("--num-epochs", "2")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameters": {}}, "key parameters must be a mapping of parameters"),
        ({"parameters": {"lrr": {"value": 1}}}, "unknown option 'lrr'; did you mean lr"),
        ({"parameters": {"lr": 0.1}}, "parameter lr must be a mapping"),
        ({"parameters": {"lr": {"valeus": [1]}}}, "parameter lr has the unknown key valeus"),
        ({"parameters": {"lr": {"min": 1}}}, "parameter lr needs value, values, min and max, or a distribution"),
        ({"parameters": {"lr": {"min": 2, "max": 1}}}, "parameter lr: optim.lr has its minimum 2 above its maximum 1"),
        ({"parameters": {"lr": {"min": "a", "max": 1}}}, "parameter lr needs a number as min, got 'a'"),
        ({"parameters": {"lr": {"distribution": "beta", "min": 0, "max": 1}}}, "the distribution 'beta'"),
        ({"parameters": {"lr": {"distribution": "q_int_uniform", "min": 0, "max": 1}}}, "'q_int_uniform'"),
        ({"parameters": {"lr": {"values": "0.1"}}}, "parameter lr needs a list of values"),
        ({"method": "hyper"}, "key method takes grid, random or bayes"),
        ({"method": "bayes"}, "method bayes needs key metric"),
        ({"method": "grid", "parameters": {"lr": {"values": [1], "probabilities": [1]}}}, "method random only"),
        ({"metric": {"name": "f1"}}, "metric 'f1' is not known here"),
        ({"metric": {"name": "acc", "goal": "minimize"}}, "turn it round"),
        ({"metric": {"name": "loss", "goal": "down"}}, "key metric.goal takes minimize or maximize"),
        ({"metric": {"name": "loss", "target": "low"}}, "key metric.target takes a number"),
        ({"metric": "loss"}, "key metric takes name, goal and target"),
        ({"early_terminate": {"type": "median"}}, "key early_terminate takes type: hyperband"),
        ({"early_terminate": {"type": "hyperband"}}, "needs min_iter, or max_iter and s"),
        ({"early_terminate": {"type": "hyperband", "min_iter": 0}}, "early_terminate.min_iter takes a whole number"),
        ({"early_terminate": {"type": "hyperband", "min_iter": 1, "strict": True}}, "early_terminate.strict"),
        ({"run_cap": 0}, "key run_cap takes a whole number above 0"),
        ({"command": "python x.py"}, "key command takes a list"),
        ({"command": ["bash", "run.sh"]}, "key command starts bash"),
        ({"controler": 1}, "key controler is unknown"),
    ],
)
def test_what_cannot_be_honoured_is_named(changes, message):
    with pytest.raises(UserError, match=message):
        sweep(**changes)


def test_a_file_without_parameters_is_no_sweep():
    with pytest.raises(UserError, match="no sweep: it has no key parameters"):
        read_sweep({"method": "grid"})
