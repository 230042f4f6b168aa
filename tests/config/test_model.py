"""Options of the network and the run: defaults, and what cannot be meant together."""

import dataclasses

import pytest

from gluon_attn.config.data import DataConfig
from gluon_attn.config.model import ModelConfig
from gluon_attn.config.train import RunConfig, TrainConfig
from gluon_attn.utils.errors import UserError


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
    assert set(map(str, others.values())) == {"None", "False", "{}", "batch"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"plan": "p.json", "attention": "se"}, "--plan says it all: drop --attention and --act-type beside it"),
        ({"plan": "p.json", "act_type": "elu"}, "--plan says it all: drop --attention and --act-type beside it"),
        ({"attention_options": {"reduction": 4}}, "--attention-options needs an --attention"),
        ({"use_se": True, "attention": "eca"}, "--use-se means --attention se: drop --attention eca"),
        ({"use_se": True, "plan": "p.json"}, "--plan says it all: drop --attention and --act-type beside it"),
        ({"ksize": "30"}, "option ksize must be digits from 1 to 9, one a stage, got '30'"),
        ({"scheme": "102"}, "option scheme must be zeros and ones, one per block, or a .json file, got '102'"),
        ({"scheme": "1", "config_codes": [1]}, "--scheme and --config-codes say the same: give one"),
        ({"pretrained": "f", "use_pretrained": True}, "give --pretrained FILE or --use-pretrained, not both"),
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
    with pytest.raises(UserError, match=r"^--progressive-size makes 3 sizes: --num-epochs must be at least 3$"):
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


def test_flags_of_other_scripts_are_stored_as_what_they_mean():
    config = ModelConfig(use_sk=True, use_gn=True)
    assert (config.attention, config.norm, config.use_sk, config.use_gn) == ("sk", "group", False, False)
