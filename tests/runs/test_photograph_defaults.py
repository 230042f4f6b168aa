"""Defaults of the training on photographs: ours, and those that the commands of the reference repositories mean."""

import shlex

import pytest

from gluon_attn.cli.train import SCRIPTS, script_options
from gluon_attn.config.train import RunConfig
from gluon_attn.runs.implied_options import with_implied
from gluon_attn.runs.options import from_keywords

OPEN_ATAC = "--r 2 --act-layers 2"


def config_of(words, script="train_imagenet.py"):
    return with_implied(script_options(script, shlex.split(words)), SCRIPTS[script].photographs).config()


def schedule(config):
    optim = config.optim
    steps = optim.lr_decay_epoch if optim.lr_mode == "step" else None
    return config.model.model, config.train.num_epochs, optim.lr_mode, optim.warmup_epochs, steps


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("photos", ("resnet50_v1b", 120, "cosine", 5, None)),
        ("photos --model eca_resnet18 --lr 0.05", ("eca_resnet18", 120, "cosine", 5, None)),
        ("photos --attention se --r 8", ("resnet50_v1b", 120, "cosine", 5, None)),
        ("photos --use-se --r 8", ("resnet50_v1b", 120, "cosine", 5, None)),
        ("photos --model resnet18_v1b --act-type ChaATAC", ("resnet18_v1b", 120, "cosine", 5, None)),
        # a short run does not warm up for all of it, other options of the warm-up stand
        ("photos --num-epochs 30", ("resnet50_v1b", 30, "cosine", 3, None)),
        ("photos --num-epochs 3", ("resnet50_v1b", 3, "cosine", 0, None)),
        ("photos --num-epochs 3 --warmup-epochs 1", ("resnet50_v1b", 3, "cosine", 1, None)),
        ("photos --warmup-updates 100", ("resnet50_v1b", 120, "cosine", 0, None)),
        # an option of the step schedule means the step schedule
        ("photos --lr-mode step", ("resnet50_v1b", 120, "step", 0, (30, 60, 90))),
        ("photos --lr-decay-epoch 10,20 --num-epochs 25", ("resnet50_v1b", 25, "step", 0, (10, 20))),
        ("photos --lr-decay-epoch 10,20 --lr-mode cosine", ("resnet50_v1b", 120, "cosine", 5, None)),
        # the repositories' commands
        (OPEN_ATAC, ("atac_resnet50_v1b", 3, "step", 0, (40, 60))),
        ("--act-type ChaATAC --useReLU", ("atac_resnet50_v1b", 3, "step", 0, (40, 60))),
        (f"{OPEN_ATAC} --defaults own", ("resnet50_v1b", 120, "cosine", 5, None)),
        ("photos --defaults open-atac", ("atac_resnet50_v1b", 3, "step", 0, (40, 60))),
        ("-a eca_resnet50 --ksize 3557 photos", ("eca_resnet50", 100, "step", 0, (30, 60, 90))),
        (
            "-a forward_config_share_sge_resnet50 -data DIR --config_codes 4 11 19 3",
            ("forward_config_share_sge_resnet50", 120, "step", 0, (30, 60, 90)),
        ),
        ("--auxiliary --arch Att_DARTS", ("Att_DARTS", 250, "step", 0, (100, 150))),
    ],
)
def test_the_schedule(words, wanted):
    assert schedule(config_of(words)) == wanted


@pytest.mark.parametrize(("words", "images"), [("", 256), (" --num-gpus 4", 64), (" --gpu 0,2", 128), (" -b 7", 7)])
def test_steps_of_256_images_over_all_devices(words, images):
    config = config_of(f"-a eca_resnet50 --ksize 3557 photos{words}")
    assert (config.data.batch_size, config.optim.optimizer, config.data.pca_noise) == (images, "sgd", 0)


def test_whose_defaults_hold_is_said(caplog):
    caplog.set_level("INFO")
    config_of(OPEN_ATAC)
    assert "a command of open-atac (--act-layers, --r): its defaults hold; --defaults own takes ours" in caplog.text
    caplog.clear()
    config_of("photos")
    config_of(f"{OPEN_ATAC} --defaults open-atac")
    assert caplog.text == ""


def test_photographs_in_gluon_attn_train_and_from_python():
    wanted = ("resnet50_v1b", 120, "cosine", 5, None)
    assert schedule(config_of("--dataset imagenet_folder --data-dir photos", "gluon-attn train")) == wanted
    assert schedule(config_of("--dataset imagenet_rec --data-dir photos", "gluon-attn train")) == wanted
    assert schedule(with_implied(from_keywords(RunConfig, {"dataset": "imagenet_folder"})).config()) == wanted
    small = config_of("--dataset digits", "gluon-attn train")
    assert schedule(small) == ("cifar_resnet20_v1", 200, "step", 0, (100, 150))
