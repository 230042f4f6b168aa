"""What the training on photographs starts from: our settings, and those of the reference repositories' scripts."""

from dataclasses import dataclass, field
from typing import Any

#: plain data by option group
Layer = dict[str, dict[str, Any]]

#: name of our own settings, for option defaults
OWN = "own"
#: epochs, and epochs of linear warm-up, at most a tenth of a run
EPOCHS, WARMUP, WARMUP_SHARE = 120, 5, 10
PHOTOGRAPHS: Layer = {
    "data": {"batch_size": 32},
    "model": {"model": "resnet50_v1b"},
    "optim": {"lr_mode": "cosine", "warmup_epochs": WARMUP},
    "train": {"num_epochs": EPOCHS},
}
#: the schedule in place of the cosine where an option of the step schedule is given
STEPS: dict[str, Any] = {"lr_mode": "step", "lr_decay_epoch": [30, 60, 90], "warmup_epochs": 0}


@dataclass(frozen=True)
class ReferenceScript:
    """The script of a repository that trains on ImageNet.

    Attributes:
        options: "group.name" of the options that its command lines have and others have not.
        models: start of the names of its networks; "" for any.
        defaults: its settings.
        images: per step, over all devices; None: `defaults` has those per device.
    """

    options: tuple[str, ...]
    models: str
    defaults: Layer = field(default_factory=dict)
    images: int | None = None


def _of_imagenet(epochs: int) -> Layer:
    """Settings that ECA-Net and EAN share: those of PyTorch's example for ImageNet."""
    optim = {"optimizer": "sgd", "lr": 0.1, "wd": 1e-4, **STEPS}
    return {"data": {"color_jitter": 0, "pca_noise": 0}, "optim": optim, "train": {"num_epochs": epochs}}


#: name -> script, those of the commands that docs/commands.md prints
SCRIPTS = {
    "open-atac": ReferenceScript(
        ("model.act_type", "model.act_layers", "model.use_relu", "model.use_global", "model.r"),
        "atac",
        {
            "data": {"batch_size": 32},
            "model": {"model": "atac_resnet50_v1b"},
            "optim": {"lr_mode": "step", "lr_decay_epoch": [40, 60], "warmup_epochs": 0},
            "train": {"num_epochs": 3},
        },
    ),
    "eca-net": ReferenceScript(("model.ksize",), "eca_", _of_imagenet(100), images=256),
    "ean": ReferenceScript(("model.config_codes",), "", _of_imagenet(120), images=256),
}
