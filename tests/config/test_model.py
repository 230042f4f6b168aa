"""Options of the network: defaults, and what cannot be meant together."""

import dataclasses

import pytest

from gluon_attn.config.model import ModelConfig
from gluon_attn.utils.errors import UserError

PLAN = "option plan already says which attention is where: leave out option attention and option act_type"
USE_PRETRAINED = "option pretrained and option use_pretrained both give the initial parameters: leave one out"


def refused(cls, **options):
    """The message of the `UserError`, which must be one line."""
    with pytest.raises(UserError) as caught:
        cls(**options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults():
    config = ModelConfig()
    assert config.model == "cifar_resnet20_v1"
    others = {f.name: getattr(config, f.name) for f in dataclasses.fields(config) if f.name != "model"}
    assert set(map(str, others.values())) == {"None", "False", "{}", "batch", "usual"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"plan": "p.json", "attention": "se"}, PLAN),
        ({"plan": "p.json", "act_type": "elu"}, PLAN),
        ({"attention_options": {"reduction": 4}}, "option attention_options needs option attention"),
        (
            {"use_se": True, "attention": "eca"},
            "option use_se means option attention se: leave out option attention eca",
        ),
        ({"use_se": True, "plan": "p.json"}, PLAN),
        ({"ksize": "30"}, "option ksize must be digits from 1 to 9, one per stage, got '30'"),
        ({"scheme": "102"}, "option scheme must be zeros and ones, one per block, or a .json file, got '102'"),
        ({"scheme": "1", "config_codes": [1]}, "option scheme and option config_codes mean the same: give one"),
        ({"pretrained": "f", "use_pretrained": True}, USE_PRETRAINED),
        ({"r": 0, "attention": "se"}, "option r must be at least 1, got 0"),
        ({"blocks": 0}, "option blocks must be at least 1, got 0"),
        ({"act_layers": -1, "act_type": "elu"}, "option act_layers must be at least 0, got -1"),
        ({"drop_rate": 1}, "option drop_rate must be from 0 to below 1, got 1.0"),
        ({"drop_rate": -0.1}, "option drop_rate must be from 0 to below 1, got -0.1"),
    ],
)
def test_refused(options, words):
    assert refused(ModelConfig, **options) == words


@pytest.mark.parametrize(
    "options",
    [
        {"attention": "se", "act_type": "ChaATAC", "r": 2, "act_layers": 0, "use_relu": True, "use_global": True},
        {"attention": "se", "r": 4, "attention_options": {"bias": False}},
        {"plan": "p.json", "drop_rate": 0.5, "last_gamma": True},
        {"attention": "none", "blocks": 3, "drop_rate": 0},
    ],
)
def test_accepted_and_back_from_plain_data(options):
    config = ModelConfig(**options)
    assert ModelConfig.from_dict(config.to_dict()) == config


def test_flags_of_other_scripts_are_stored_as_what_they_mean():
    config = ModelConfig(use_sk=True, use_gn=True)
    assert (config.attention, config.norm, config.use_sk, config.use_gn) == ("sk", "group", False, False)
