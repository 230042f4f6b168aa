"""Searched networks by the names and settings of the reference repositories."""

import pytest

from gluon_attn.cli.train import SCRIPTS, script_options
from gluon_attn.config.model import ModelConfig
from gluon_attn.models.build import build
from gluon_attn.models.reference_names import resolved
from gluon_attn.runs.implied_options import with_implied
from gluon_attn.utils.errors import UserError

SMALL = {"init_ch": 4, "layers": 3}


@pytest.mark.parametrize(
    ("given", "size", "name", "options"),
    [
        ({"model": "Att_DARTS", "auxiliary": True}, 32, "darts_cifar", {"genotype": "Att_DARTS", "auxiliary": True}),
        ({"model": "Att_DARTS"}, 224, "darts_imagenet", {"genotype": "Att_DARTS"}),
        ({"arch_path": "g.json", **SMALL}, 32, "darts_cifar", {"genotype": "g.json", "channels": 4, "layers": 3}),
        ({"model": "ATTENTION", "net_type": "resnet56"}, 32, "anas_resnet56", {"genotype": "ATTENTION"}),
        ({"arch_path": "g.json", "net_type": "resnet20"}, 32, "anas_resnet20", {"genotype": "g.json"}),
        ({"model": "cifar_resnet20_v1"}, 32, "cifar_resnet20_v1", {}),
    ],
)
def test_names(given, size, name, options):
    found = resolved(ModelConfig.from_dict(given), size)
    assert (found.model, found.model_options) == (name, options)
    assert resolved(found, size) == found


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": "ATTENTION"}, "give its ResNet too, such as option net_type resnet20"),
        ({"model": "Att_DARTS", "arch_path": "g.json"}, "option arch_path and option model Att_DARTS say the same"),
        ({"model": "cifar_resnet56_v1", "net_type": "resnet20"}, "option net_type goes with option model ATTENTION"),
        (
            {"model": "Att_DARTS", "layers": 3, "model_options": {"layers": 4}},
            "layers: given alone and by option model_options",
        ),
        ({"auxiliary": True}, "has no option 'auxiliary'"),
    ],
)
def test_refused(given, words):
    with pytest.raises(UserError, match=words):
        build(ModelConfig.from_dict(given), 10, 32)


def config_of(script, *words):
    return with_implied(script_options(script, words), SCRIPTS[script].photographs).config()


def test_settings_are_the_repositories():
    config = config_of("train_cifar.py", "--auxiliary", "--cutout", "--arch", "Att_DARTS")
    assert (config.train.num_epochs, config.optim.lr, config.data.batch_size) == (600, 0.025, 96)
    assert (config.train.drop_path_prob, config.data.normalization, config.optim.wd) == (0.2, "att-darts", 3e-4)
    config = config_of("train_imagenet.py", "--auxiliary", "--arch", "Att_DARTS", "--epochs", "9")
    assert (config.train.num_epochs, config.optim.lr_decay, config.optim.lr_decay_period) == (9, 0.97, 1)
    assert config.data.label_smoothing
    config = config_of("train_cifar.py", "--net_type", "resnet20", "--arch", "ATTENTION")
    assert (config.train.num_epochs, config.optim.lr, config.optim.wd) == (180, 0.1, 1e-4)
    assert config_of("train_cifar.py").train.num_epochs == 200
    with pytest.raises(UserError, match=r"use train_cifar\.py, not train_imagenet\.py"):
        config_of("train_imagenet.py", "--net_type", "resnet20", "--arch", "ATTENTION")
    with pytest.raises(UserError, match="option auxiliary_weight needs option auxiliary"):
        config_of("train_cifar.py", "--arch", "Att_DARTS", "--auxiliary_weight", "0.3")
