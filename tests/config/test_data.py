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
        {"val_share": 1.5}, {"val_share": -0.1}, {"val_seed": -1}, {"val_seed": 1}, {"val_list": "a.csv"},
        {"train_images": 0}, {"crop_padding": -1}, {"cutout_length": 0}, {"mixup_alpha": 0},
        {"normalization": "imagenet"}, {"flip": "sometimes"}, {"crop_ratio": 0}, {"crop_ratio": 1.1},
        {"max_bad_images": -0.1}, {"max_bad_images": 2}, {"color_jitter": 1.5}, {"pca_noise": -1},
        {"random_erasing": 1.5}, {"cutmix_alpha": 0}, {"rand_augment": (2,)}, {"rand_augment": (0, 9)},
        {"rand_augment": (2, 31)}, {"rand_augment": "2,9,1"},
        {"progressive_size": ()}, {"progressive_size": (7, 9)}, {"progressive_size": (16, 16)},
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
        ("cifar10", {"input_size": 32}),
        ("digits", {"rec_train": "train.rec"}),
        ("cifar10", {"use_rec": True}),
        ("cifar100", {"crop_ratio": 0.9}),
        ("synthetic", {"max_bad_images": 0.5}),
        ("imagenet_rec", {"crop_padding": 0}),
        ("imagenet_rec", {"train_images": 5}),
        ("imagenet_folder", {"rec_val_idx": "val.idx"}),
        ("imagenet_folder", {"classes": 100}),
    ],
)
def test_an_option_without_effect_is_refused(dataset, option):
    with pytest.raises(UserError, match=f"option {next(iter(option))} has no effect on {dataset}"):
        DataConfig(dataset=dataset, **option)


@pytest.mark.parametrize(("dataset", "classes"), [("digits", 10), ("cifar10", 10), ("cifar100", 100)])
def test_the_number_of_classes_that_a_set_has_may_be_repeated(dataset, classes):
    assert DataConfig(dataset=dataset, classes=classes) == DataConfig(dataset=dataset)


@pytest.mark.parametrize("dataset", ["imagenet_rec", "imagenet_folder"])
def test_use_rec_is_a_spelling_of_the_set(dataset):
    config = DataConfig(dataset=dataset, use_rec=True, rec_train="train.rec")
    assert config == DataConfig(dataset="imagenet_rec", rec_train="train.rec")
    assert DataConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize("dataset", ["imagenet_rec", "imagenet_folder"])
def test_a_record_file_is_a_spelling_of_the_set(dataset):
    config = DataConfig(dataset=dataset, data_dir="photos/train.rec", val_share=0.2)
    assert config == DataConfig(dataset="imagenet_rec", rec_train="photos/train.rec", val_share=0.2)
    assert DataConfig.from_dict(config.to_dict()) == config
    with pytest.raises(UserError, match="names training records, option rec_train others"):
        DataConfig(dataset=dataset, use_rec=True, data_dir="photos/train.rec", rec_train="b.rec")
