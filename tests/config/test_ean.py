"""Options of EAN's three steps: the authors' numbers, and no option without an effect."""

import dataclasses

import pytest

from gluon_attn.config import ean
from gluon_attn.config.base import field_types
from gluon_attn.utils.errors import UserError


def test_the_defaults_are_the_authors():
    controller, score = ean.EanConfig(), ean.ScoreConfig()
    assert (controller.steps, controller.controller_lr, controller.temperature) == (300, 0.05, 5)
    assert (controller.baseline_decay, controller.buffer, controller.replay_from) == (0.95, 30, 10)
    assert (controller.replay_weight, controller.ratio_clip, controller.validate_size) == (0.1, 0.1, 2)
    assert (score.reward_weight, score.reward_base, score.reward_for) == (2, 54, "sparsity")


@pytest.mark.parametrize("kind", [ean.SupernetConfig, ean.EanSearchConfig, ean.EanPipelineConfig])
def test_there_and_back(kind):
    assert kind.from_dict(kind().to_dict()) == kind()


def test_options_that_are_named_exist():
    kinds = field_types(ean.EanPipelineConfig)
    for table in (ean._SEARCHED, ean._NOT_OF_A_SUPERNET):
        for group, names in table.items():
            assert names <= {field.name for field in dataclasses.fields(kinds[group])}


@pytest.mark.parametrize(
    ("kind", "group", "options", "words"),
    [
        (ean.SupernetConfig, "model", {"scheme": "101"}, "scheme has no effect on the training of a supernet"),
        (ean.SupernetConfig, "train", {"benchmark": True}, "benchmark has no effect on the training of a supernet"),
        (ean.EanSearchConfig, "data", {"mixup": True}, "mixup has no effect on a search"),
        (ean.EanSearchConfig, "train", {"num_epochs": 3}, "num_epochs has no effect on a search"),
        (ean.EanPipelineConfig, "score", {"supernet": "runs/x"}, "supernet has no effect on the pipeline of all steps"),
        (ean.EanSearchConfig, "score", {"baselines": ["chance"]}, "baselines must be one of random, evolution"),
    ],
)
def test_what_would_do_nothing_is_refused(kind, group, options, words):
    with pytest.raises(UserError, match=words):
        kind.from_dict({group: options})
