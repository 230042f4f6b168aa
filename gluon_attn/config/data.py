"""Options of the data: which set, from where, in what batches, changed how."""

from dataclasses import dataclass

from ..utils.errors import UserError
from .base import Config, at_least, between, option

_RECORDS = ("rec_train", "rec_train_idx", "rec_val", "rec_val_idx")
_IN_MEMORY = (*_RECORDS, "crop_ratio", "max_bad_images")
_COUNTS = ("train_images", "val_images")
_FIXED = (*_IN_MEMORY, *_COUNTS, "input_size", "classes")
_PHOTOGRAPHS = (*_COUNTS, "normalization", "crop_padding")

#: data set -> options that would do nothing with it
_WITHOUT_EFFECT = {
    "digits": (*_FIXED, "normalization"),
    "cifar10": _FIXED,
    "cifar100": _FIXED,
    "synthetic": (*_IN_MEMORY, "normalization"),
    "imagenet_rec": _PHOTOGRAPHS,
    "imagenet_folder": (*_PHOTOGRAPHS, *_RECORDS, "classes"),
}
#: sets whose number of classes is known
_CLASSES = {"digits": 10, "cifar10": 10, "cifar100": 100}
#: the strongest of `rand_augment`
MOST_MAGNITUDE = 30


def _rand_augment(value):
    """Check of `DataConfig.rand_augment`."""
    fits = len(value) == 2 and value[0] >= 1 and 0 <= value[1] <= MOST_MAGNITUDE
    return None if fits else f"takes two numbers N,M with N from 1 and M from 0 to {MOST_MAGNITUDE}"


def _rising(value):
    """Check of `DataConfig.progressive_size`."""
    fits = value and value[0] >= 8 and sorted(set(value)) == list(value)
    return None if fits else "takes rising sizes from 8 on"


@dataclass(frozen=True)
class DataConfig(Config):
    """Where images come from and what happens to them before the network sees them."""

    dataset: str = option("cifar10", "data set: digits, cifar10, cifar100, synthetic, imagenet_rec or imagenet_folder")
    data_dir: str | None = option(
        None,
        "folder with the data set's files; default: in ~/.mxnet/datasets, where CIFAR is downloaded to",
        flags=("-data", "--data", "--tmp-data-dir"), metavar="DIR",
    )  # fmt: skip
    use_rec: bool = option(False, "ImageNet from record files: the same as --dataset imagenet_rec")
    rec_train: str | None = option(None, "records to train on (default DATA_DIR/train.rec)", metavar="FILE")
    rec_train_idx: str | None = option(None, "their index (default: beside them)", metavar="FILE")
    rec_val: str | None = option(None, "records to test on (default DATA_DIR/val.rec)", metavar="FILE")
    rec_val_idx: str | None = option(None, "their index (default: beside them)", metavar="FILE")
    max_bad_images: float = option(
        0.01, "share of photographs that may be unreadable; more end the run", check=between(0, 1)
    )
    batch_size: int = option(128, "images a step on each device", flags=("-b", "--batchsz"), check=at_least(1))
    num_workers: int = option(
        4, "threads that prepare batches; 0 prepares them in the training loop",
        flags=("-j", "--num-data-workers", "--workers", "--data-nthreads"), check=at_least(0),
    )  # fmt: skip
    input_size: int | None = option(
        None, "height and width of synthetic images (32 if not given) and photographs (224)", check=at_least(8)
    )
    progressive_size: tuple[int, ...] | None = option(
        None, "smaller images to train on first, such as 128,160,192: they and the full size share the epochs evenly",
        check=_rising,
    )  # fmt: skip
    classes: int | None = option(
        None, "number of classes of synthetic images (10 if not given) and records (as many as val.lst has, else 1000)",
        check=between(2, 1000),
    )  # fmt: skip
    train_images: int = option(2000, "number of synthetic training images", check=at_least(1))
    val_images: int = option(500, "number of synthetic test images", check=at_least(1))
    hold_out: int = option(
        0, "keep the first so many training images of each class out of training, and test on them", check=at_least(0)
    )
    normalization: str = option(
        "open-atac",
        "whose CIFAR mean and std: open-atac (GluonCV's) or att-darts; other sets have their own",
        choices=("open-atac", "att-darts"),
    )
    crop_padding: int = option(4, "border added before the random crop; 0: no crop", check=at_least(0))
    crop_ratio: float = option(
        0.875, "size of the centre crop over the shorter side when photographs are tested", check=between(0.1, 1)
    )
    flip: bool | None = option(None, "mirror half of the images; default: yes, but not for digits")
    color_jitter: float | None = option(
        None, "change brightness, contrast and saturation by up to this share; default: photographs 0.4, others 0",
        check=between(0, 1),
    )  # fmt: skip
    pca_noise: float | None = option(
        None, "strength of AlexNet's PCA lighting; default: photographs 0.1, others 0", check=at_least(0)
    )
    rand_augment: tuple[int, ...] | None = option(
        None, "N,M: N operations of magnitude M, 0 to 30, on each image (Cubuk et al. 2019)", check=_rand_augment
    )
    random_erasing: float = option(
        0.0, "share of the images in which a random rectangle becomes noise (Zhong et al. 2017)",
        check=between(0, 1), flags=("--reprob",),
    )  # fmt: skip
    cutout: bool = option(False, "black out a random square (DeVries & Taylor 2017)")
    cutout_length: int = option(16, "side of the cutout square in pixels", flags=("--cutout-len",), check=at_least(1))
    mixup: bool = option(False, "train on mixed pairs of images (Zhang et al. 2017)")
    mixup_alpha: float = option(0.2, "parameter of mixup's Beta distribution", check=at_least(1e-6))
    cutmix: bool = option(
        False, "paste a part of another image in (Yun et al. 2019); with mixup in half of the batches"
    )
    cutmix_alpha: float = option(1.0, "parameter of cutmix's Beta distribution", check=at_least(1e-6))
    mixup_off_epoch: int = option(0, "number of last epochs without mixup and cutmix", check=at_least(0))
    label_smoothing: bool = option(False, "spread 0.1 of the target over all classes (Szegedy et al. 2015)")

    def __post_init__(self):
        super().__post_init__()
        if self.use_rec:
            if not self.dataset.startswith("imagenet"):
                raise UserError(f"option use_rec has no effect on {self.dataset}: leave it out")
            object.__setattr__(self, "dataset", "imagenet_rec")
            object.__setattr__(self, "use_rec", False)  # the name says it: one spelling in config.yaml
        if self.classes is not None and self.classes == _CLASSES.get(self.dataset):
            object.__setattr__(self, "classes", None)  # what it has anyway
        for name in _WITHOUT_EFFECT.get(self.dataset, ()):
            if getattr(self, name) != type(self).__dataclass_fields__[name].default:
                raise UserError(f"option {name} has no effect on {self.dataset}: leave it out")
