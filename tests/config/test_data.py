"""Defaults of the data options and the values that are refused."""

import pytest

from gluon_attn.config.data import DataConfig
from gluon_attn.utils.errors import UserError


def test_defaults_are_open_atacs():
    config = DataConfig()
    assert (config.dataset, config.normalization, config.crop_padding) == ("cifar10", "open-atac", 4)
    assert (config.cutout, config.mixup, config.label_smoothing) == (False,) * 3
    assert config.flip is None
    assert config.data_dir is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch_size": 0}, {"num_workers": -1}, {"input_size": 7}, {"classes": 1}, {"classes": 1001},
        {"train_images": 0}, {"crop_padding": -1}, {"cutout_length": 0}, {"mixup_alpha": 0},
        {"normalization": "imagenet"}, {"flip": "sometimes"},
    ],
)  # fmt: skip
def test_impossible_values_name_their_option(wrong):
    with pytest.raises(UserError, match=f"option {next(iter(wrong))} "):
        DataConfig(**wrong)


def test_round_trip():
    config = DataConfig(dataset="digits", flip=True, data_dir="somewhere", mixup=True)
    assert DataConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("dataset", "option"),
    [
        ("digits", {"input_size": 64}),
        ("cifar10", {"classes": 5}),
        ("cifar100", {"val_images": 9}),
        ("synthetic", {"normalization": "att-darts"}),
    ],
)
def test_an_option_without_effect_is_refused(dataset, option):
    with pytest.raises(UserError, match=f"option {next(iter(option))} has no effect on {dataset}"):
        DataConfig(dataset=dataset, **option)
