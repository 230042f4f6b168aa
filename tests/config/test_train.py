"""Options of a run: impossible values, and rules that span groups."""

import dataclasses

import pytest

from gluon_attn.config.data import DataConfig
from gluon_attn.config.train import RunConfig, TrainConfig
from gluon_attn.utils.errors import UserError


def refused(cls, **options):
    """The message of the `UserError`, which must be one line."""
    with pytest.raises(UserError) as caught:
        cls(**options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_epochs": 0}, {"mode": "fast"}, {"gpus": "-1"}, {"num_gpus": -1}, {"seed": -1}, {"seed": 2**31},
        {"keep_checkpoints": 0}, {"save_period": -1}, {"log_interval": 0},
    ],
)  # fmt: skip
def test_impossible_run_values(wrong):
    assert refused(TrainConfig, **wrong).startswith(f"option {next(iter(wrong))} ")


def test_each_size_needs_an_epoch():
    data = DataConfig(progressive_size=(8, 16))
    with pytest.raises(
        UserError, match=r"^option progressive_size makes 3 sizes: option num_epochs must be at least 3$"
    ):
        RunConfig(data=data, train=TrainConfig(num_epochs=2))
    assert RunConfig(data=data, train=TrainConfig(num_epochs=3)).data == data


def test_no_option_stands_in_two_groups():
    """A command has one flag for each, so names and spellings must differ."""
    names = []
    for group in dataclasses.fields(RunConfig()):
        for field in dataclasses.fields(getattr(RunConfig(), group.name)):
            names += ["--" + field.name.replace("_", "-"), *field.metadata["flags"]]
            assert field.metadata["help"]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"no_cuda": True, "gpus": "0"}, "option no_cuda asks for no GPU, option gpus and option num_gpus for some"),
        ({"benchmark": True, "data_benchmark": True}, "option benchmark and option data_benchmark measure different"),
        ({"resume_states": "f"}, "f is a pickle, whose code would run: add option trust if you made it yourself"),
        ({"trust": True}, "option trust is for option resume_states: leave it out"),
        ({"bce_sum": True}, "option bce_sum needs option bce_loss"),
        ({"bce_target_threshold": 0.2}, "option bce_target_threshold needs option bce_loss"),
        ({"start_epoch": 4, "num_epochs": 4}, "option start_epoch 4 leaves nothing of option num_epochs 4"),
    ],
)
def test_what_cannot_be_meant_together(options, words):
    assert refused(TrainConfig, **options).startswith(words)


@pytest.mark.parametrize("option", [{"start_epoch": 1}, {"evaluate": True}, {"resume_states": "f", "trust": True}])
def test_what_needs_parameters(option):
    words = f"option {next(iter(option))} needs the weights: option pretrained FILE or option use_pretrained"
    assert refused(RunConfig, train=option) == words
    assert RunConfig(train=option, model={"pretrained": "f"}).model.pretrained == "f"


def test_a_teacher_has_its_own_loss():
    words = refused(RunConfig, train={"bce_loss": True}, distill={"teacher": "a"})
    assert words == "option bce_loss and option teacher are two losses: leave one out"
