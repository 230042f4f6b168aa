"""Options that act only beside others: told where they are given alone, and nowhere else."""

import pytest
from conftest import ROOT

from gluon_attn.config.base import field_types
from gluon_attn.config.detect import DetectRunConfig
from gluon_attn.config.files import read_yaml
from gluon_attn.config.search import AttDartsConfig
from gluon_attn.config.search_defaults import SEARCH_DEFAULTS
from gluon_attn.config.train import RunConfig
from gluon_attn.config.without_effect import ALONE, NEEDS, without_effect
from gluon_attn.runs.options import Options


def told(given, kind=RunConfig, defaults=None, processes=1):
    options = Options(kind, defaults or {}, given=given)
    return without_effect(options.config(), options.asked, processes)


#: option -> (it with a value that is not its default, what makes it act)
CASES = {
    "cutout_length": ({"data": {"cutout_length": 8}}, {"cutout": True}),
    "mixup_alpha": ({"data": {"mixup_alpha": 1}}, {"mixup": True}),
    "cutmix_alpha": ({"data": {"cutmix_alpha": 0.5}}, {"cutmix": True}),
    "mixup_off_epoch": ({"data": {"mixup_off_epoch": 2}}, {"cutmix": True}),
    "lr_decay": ({"optim": {"lr_mode": "cosine", "lr_decay": 0.5}}, {"lr_mode": "step"}),
    "lr_decay_period": ({"optim": {"lr_mode": "poly", "lr_decay_period": 2.4}}, {"lr_mode": "step"}),
    "lr_decay_epoch": ({"optim": {"lr_mode": "cosine", "lr_decay_epoch": "30,60"}}, {"lr_mode": "step"}),
    "target_lr": ({"optim": {"lr_mode": "step", "target_lr": 0.01}}, {"lr_mode": "poly"}),
    "warmup_lr": ({"optim": {"warmup_lr": 0.01}}, {"warmup_updates": 5}),
    "benchmark_batches": ({"train": {"benchmark_batches": 3}}, {"data_benchmark": True}),
}


@pytest.mark.parametrize("name", CASES)
def test_an_option_alone_is_told(name):
    given, beside = CASES[name]
    ((group, values),) = given.items()
    (line,) = told(given)
    assert line == f"option {name} has no effect: it needs {NEEDS[group][name][0]}"
    assert told({group: {**values, **beside}}) == ()
    default = getattr(field_types(RunConfig)[group](), name)
    assert told({group: {**values, name: default}}) == ()


def test_every_need_is_tried():
    assert set(CASES) == {name for group in NEEDS.values() for name in group}


@pytest.mark.parametrize(("name", "value"), [("num_groups", 4), ("num_groups", 0), ("fp16_allreduce", True)])
def test_what_several_processes_send_needs_them(name, value):
    given = {"optim": {name: value}}
    assert told(given) == (f"option {name} has no effect: it needs {ALONE['optim'][name][0]}",)
    assert told(given, processes=2) == told({"optim": {name: None if name == "num_groups" else False}}) == ()


def test_a_period_takes_the_place_of_epochs():
    assert told({"optim": {"lr_decay_period": 3, "lr_decay_epoch": [5]}}) == (
        "option lr_decay_epoch has no effect: it needs option lr_mode step without option lr_decay_period",
    )


def test_what_a_script_starts_from_is_not_given():
    defaults = SEARCH_DEFAULTS["att-darts"]
    assert told({"optim": {"lr_mode": "step"}}, AttDartsConfig, defaults) == ()
    (line,) = told({"optim": {"lr_mode": "step", "target_lr": 0.02}}, AttDartsConfig, defaults)
    assert "target_lr" in line
    assert len(told({"optim": {"target_lr": 0.02}}, DetectRunConfig)) == 1


@pytest.mark.parametrize("recipe", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_acts(recipe):
    layer = read_yaml(recipe)
    kind = DetectRunConfig if "detect" in layer else RunConfig
    assert told(layer, kind) == ()
