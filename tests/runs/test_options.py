"""Options in layers: which wins, that each is resolved once, and the keywords of the Python API."""

import dataclasses

import pytest

from gluon_attn.config.base import field_types
from gluon_attn.config.ean import EanPipelineConfig, EanSearchConfig, SupernetConfig
from gluon_attn.config.search import AnasConfig, AttDartsConfig
from gluon_attn.config.train import RunConfig
from gluon_attn.runs.options import Options, from_keywords
from gluon_attn.utils.errors import UserError


def test_later_layers_win():
    options = Options(
        RunConfig, {"optim": {"lr": 1.0, "wd": 0.5, "momentum": 0.1}}, {"optim": {"lr": 2.0, "wd": 0.25}},
        {"optim": {"lr": 3.0}},
    )  # fmt: skip
    optim = options.config().optim
    assert (optim.lr, optim.wd, optim.momentum, optim.optimizer) == (3.0, 0.25, 0.1, "nag")


def test_the_config_is_made_once():
    options = Options(RunConfig)
    assert options.config() is options.config()


def test_override_gives_new_options():
    options = Options(RunConfig, recipe={"optim": {"lr": 0.5}})
    other = options.override("optim.lr", 0.1).override("train.seed", 7)
    assert (options.config().optim.lr, other.config().optim.lr, other.config().train.seed) == (0.5, 0.1, 7)


def test_more_defaults_are_laid_over_defaults_only():
    options = Options(RunConfig, {"optim": {"lr": 1.0, "wd": 0.5}}, {}, {"optim": {"wd": 0.125}})
    optim = options.with_defaults({"optim": {"lr": 2.0, "wd": 0.25}}).config().optim
    assert (optim.lr, optim.wd) == (2.0, 0.125)


def test_what_was_asked_for():
    options = Options(RunConfig, {"optim": {"lr": 1.0}}, {"optim": {"wd": 0.5}, "data": {}}, {"optim": {"wd": None}})
    assert options.asked("optim.lr") is None
    assert Options(RunConfig, recipe={"optim": {"wd": 0.5}}).asked("optim.wd") == 0.5
    assert options.asked("optim.wd") is None
    assert options.asked("train.seed") is None


def test_keywords_are_options_groups_aliases_and_a_recipe(tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("optim:\n  lr: 0.5\n  wd: 0.25\n")
    keywords = {"model": "cifar_resnet20_v1", "attention": "se", "epochs": 3, "optim": {"wd": 0.125}, "config": recipe}
    config = from_keywords(RunConfig, keywords, {"train": {"seed": 9}}).config()
    assert (config.model.model, config.model.attention, config.train.num_epochs) == ("cifar_resnet20_v1", "se", 3)
    assert (config.optim.lr, config.optim.wd, config.train.seed) == (0.5, 0.125, 9)


def test_a_group_and_an_option_of_one_name():
    assert from_keywords(RunConfig, {"model": {"model": "mobilenet_v2"}}).config().model.model == "mobilenet_v2"
    assert from_keywords(RunConfig, {"model": "mobilenet_v2"}).config().model.model == "mobilenet_v2"


def test_an_unknown_keyword_names_the_nearest():
    with pytest.raises(UserError, match="unknown option 'atention'; did you mean attention"):
        from_keywords(RunConfig, {"atention": "se"})


def test_a_group_takes_a_mapping():
    with pytest.raises(UserError, match="optim is a group of options and takes a mapping of them, got 3"):
        from_keywords(RunConfig, {"optim": 3})


@pytest.mark.parametrize(
    "kind", [RunConfig, SupernetConfig, EanSearchConfig, EanPipelineConfig, AttDartsConfig, AnasConfig]
)
def test_no_two_groups_have_an_option_of_one_name(kind):
    """Else a keyword could mean either."""
    kinds = field_types(kind)
    names = [o.name for group in dataclasses.fields(kind) for o in dataclasses.fields(kinds[group.name])]
    assert len(set(names)) == len(names)
