"""Options of the data: which set, from where, in what batches, changed how."""

from dataclasses import dataclass

from ..utils.errors import UserError
from .base import Config, at_least, between, option

_DRAWN = ("input_size", "classes", "train_images", "val_images")

#: data set -> options that would do nothing with it
_WITHOUT_EFFECT = {
    "digits": (*_DRAWN, "normalization"),
    "cifar10": _DRAWN,
    "cifar100": _DRAWN,
    "synthetic": ("normalization",),
}


@dataclass(frozen=True)
class DataConfig(Config):
    """Where images come from and what happens to them before the network sees them."""

    dataset: str = option("cifar10", "data set: digits, cifar10, cifar100 or synthetic")
    data_dir: str | None = option(
        None, "folder with the data set's files; without it they are downloaded to ~/.mxnet/datasets", metavar="DIR"
    )
    batch_size: int = option(128, "images a step on each device", flags=("-b",), check=at_least(1))
    num_workers: int = option(
        4, "threads that prepare batches; 0 prepares them in the training loop",
        flags=("-j", "--num-data-workers"), check=at_least(0),
    )  # fmt: skip
    input_size: int = option(32, "height and width of the synthetic images", check=at_least(8))
    classes: int = option(10, "number of classes of the synthetic images", check=between(2, 1000))
    train_images: int = option(2000, "number of synthetic training images", check=at_least(1))
    val_images: int = option(500, "number of synthetic test images", check=at_least(1))
    normalization: str = option(
        "open-atac",
        "whose CIFAR mean and std: open-atac (GluonCV's) or att-darts; digits and synthetic have their own",
        choices=("open-atac", "att-darts"),
    )
    crop_padding: int = option(4, "border added before the random crop; 0: no crop", check=at_least(0))
    flip: bool | None = option(None, "mirror half of the images; default: yes, but not for digits")
    cutout: bool = option(False, "black out a random square (DeVries & Taylor 2017)")
    cutout_length: int = option(16, "side of the cutout square in pixels", check=at_least(1))
    mixup: bool = option(False, "train on mixed pairs of images (Zhang et al. 2017)")
    mixup_alpha: float = option(0.2, "parameter of mixup's Beta distribution", check=at_least(1e-6))
    mixup_off_epoch: int = option(0, "number of last epochs without mixup", check=at_least(0))
    label_smoothing: bool = option(False, "spread 0.1 of the target over all classes (Szegedy et al. 2015)")

    def __post_init__(self):
        super().__post_init__()
        for name in _WITHOUT_EFFECT.get(self.dataset, ()):
            if getattr(self, name) != type(self).__dataclass_fields__[name].default:
                raise UserError(f"option {name} has no effect on {self.dataset}: leave it out")
