"""Options of the data: which set, its files, batches and augmentation."""

from dataclasses import dataclass

from ..utils.errors import UserError
from .augmentation import ORIGINAL, policy_error
from .base import Config, at_least, between, option

_RECORDS = ("rec_train", "rec_train_idx", "rec_val", "rec_val_idx")
_IN_MEMORY = (*_RECORDS, "val_list", "crop_ratio", "max_bad_images", "scaled_decode")
_COUNTS = ("train_images", "val_images")
_FIXED = (*_IN_MEMORY, *_COUNTS, "input_size", "classes")
_PHOTOGRAPHS = (*_COUNTS, "normalization", "crop_padding", "swap_splits")

#: data set -> options that have no effect on it
_WITHOUT_EFFECT = {
    "digits": (*_FIXED, "normalization", "swap_splits"),
    "mnist5k": (*_FIXED, "normalization"),
    "cifar10": (*_FIXED, "swap_splits"),
    "cifar100": (*_FIXED, "swap_splits"),
    "synthetic": (*_IN_MEMORY, "normalization", "swap_splits"),
    "imagenet_rec": (*_PHOTOGRAPHS, "val_list"),
    "imagenet_folder": (*_PHOTOGRAPHS, *_RECORDS, "classes"),
}
#: number of classes of the sets where it is fixed
_CLASSES = {"digits": 10, "mnist5k": 10, "cifar10": 10, "cifar100": 100}
#: largest magnitude of `rand_augment`
MOST_MAGNITUDE = 30


def _rand_augment(value: tuple[int, ...]) -> str | None:
    """Check of `DataConfig.rand_augment`."""
    fits = len(value) == 2 and value[0] >= 1 and 0 <= value[1] <= MOST_MAGNITUDE
    return None if fits else f"takes two numbers N,M with N from 1 and M from 0 to {MOST_MAGNITUDE}"


def _rising(value: tuple[int, ...]) -> str | None:
    """Check of `DataConfig.progressive_size`."""
    fits = value and value[0] >= 8 and sorted(set(value)) == list(value)
    return None if fits else "takes sizes in ascending order, from 8 on"


@dataclass(frozen=True)
class DataConfig(Config):
    """Source, batches and augmentation of the images."""

    dataset: str = option(
        "cifar10", "data set: digits, mnist5k, cifar10, cifar100, synthetic, imagenet_rec or imagenet_folder"
    )
    data_dir: str | None = option(
        None,
        "folder with the data set's files; default: in ~/.mxnet/datasets, to which CIFAR is downloaded",
        flags=("-data", "--data", "--tmp-data-dir"), metavar="DIR", path=True,
    )  # fmt: skip
    use_rec: bool = option(False, "ImageNet from record files: the same as --dataset imagenet_rec")
    rec_train: str | None = option(None, "training records (default DATA_DIR/train.rec)", metavar="FILE", path=True)
    rec_train_idx: str | None = option(
        None,
        "index of the training records (default: the .idx file next to them)",
        metavar="FILE",
        path=True,
    )
    rec_val: str | None = option(None, "test records (default DATA_DIR/val.rec)", metavar="FILE", path=True)
    rec_val_idx: str | None = option(
        None,
        "index of the test records (default: the .idx file next to them)",
        metavar="FILE",
        path=True,
    )
    max_bad_images: float = option(
        0.01,
        "share of the photographs that may be unreadable; the run ends with an error if there are more",
        check=between(0, 1),
    )
    batch_size: int = option(128, "images per step and device", flags=("-b", "--batchsz"), check=at_least(1))
    num_workers: int = option(
        4, "threads that prepare batches; 0: the training loop prepares them",
        flags=("-j", "--num-data-workers", "--workers", "--data-nthreads"), check=at_least(0),
    )  # fmt: skip
    input_size: int | None = option(
        None, "height and width of synthetic images (default 32) and photographs (default 224)", check=at_least(8)
    )
    progressive_size: tuple[int, ...] | None = option(
        None, "smaller sizes to train on first, such as 128,160,192; these and the full size share the epochs evenly",
        check=_rising,
    )  # fmt: skip
    classes: int | None = option(
        None, "number of classes of synthetic images (default 10) and records (default: that of val.lst, else 1000)",
        check=between(2, 1000),
    )  # fmt: skip
    train_images: int = option(2000, "number of synthetic training images", check=at_least(1))
    val_images: int = option(500, "number of synthetic test images", check=at_least(1))
    swap_splits: bool = option(False, "mnist5k: train on its 4,000 images and test on the 1,000")
    val_share: float = option(
        0.0, "test on this share of the training images of each class, such as 0.2, and train on the rest: for images "
        "without a split", check=between(0, 1),
    )  # fmt: skip
    val_seed: int = option(0, "seed of the split of --val-share, which --seed does not change", check=at_least(0))
    val_list: str | None = option(
        None, "list of the test images (.csv or .lst), where --data-dir is the list of the training images",
        metavar="FILE", path=True,
    )  # fmt: skip
    hold_out: int = option(
        0, "hold out the first N training images of each class and evaluate on them", check=at_least(0)
    )
    normalization: str = option(
        "open-atac",
        "mean and std of CIFAR: those of open-atac (GluonCV) or att-darts; other sets have their own",
        choices=("open-atac", "att-darts"),
    )
    crop_padding: int = option(4, "padding of the random crop in pixels; 0: no crop", check=at_least(0))
    crop_ratio: float = option(
        0.875, "evaluation of photographs: size of the center crop / shorter side", check=between(0.1, 1)
    )
    scaled_decode: bool = option(
        False,
        "decode JPEG files to train on at 1/2, 1/4 or 1/8 of their size where the random crop is so much larger than "
        "the input: faster, other pixels",
    )
    flip: bool | None = option(
        None, "mirror images left to right with probability 0.5 (default: yes, but not for digits)"
    )
    color_jitter: float | None = option(
        None, "change brightness, contrast and saturation by up to this share (default: photographs 0.4, others 0)",
        check=between(0, 1),
    )  # fmt: skip
    pca_noise: float | None = option(
        None, "strength of AlexNet's PCA lighting (default: photographs 0.1, others 0)", check=at_least(0)
    )
    rand_augment: tuple[int, ...] | None = option(
        None,
        "RandAugment N,M: N operations of magnitude M, 0 to 30, per image (Cubuk et al. 2019)",
        check=_rand_augment,
    )
    aa: str | None = option(
        None, "augmentation policy under timm's name: rand-m9-mstd0.5-inc1 and the like (RandAugment with levels up to "
        "10), or original (AutoAugment for ImageNet, Cubuk et al. 2018)", check=policy_error, metavar="POLICY",
    )  # fmt: skip
    auto_aug: bool = option(False, "AutoAugment: the same as --aa original")
    random_erasing: float = option(
        0.0, "probability that a random rectangle of an image becomes noise (Zhong et al. 2017)",
        check=between(0, 1), flags=("--reprob",),
    )  # fmt: skip
    aug_repeats: int = option(
        1, "repeated augmentation: each image comes N times in a row, changed each time, in epochs of as many images "
        "as without", check=at_least(1),
    )  # fmt: skip
    cutout: bool = option(False, "zero a random square (DeVries & Taylor 2017)")
    cutout_length: int = option(16, "side of the cutout square in pixels", flags=("--cutout-len",), check=at_least(1))
    mixup: bool = option(False, "mixup: train on blended pairs of images (Zhang et al. 2017)")
    mixup_alpha: float = option(0.2, "parameter of mixup's Beta distribution", check=at_least(1e-6))
    cutmix: bool = option(
        False, "cutmix: paste a part of another image (Yun et al. 2019); with mixup, each in half of the batches"
    )
    cutmix_alpha: float = option(1.0, "parameter of cutmix's Beta distribution", check=at_least(1e-6))
    mixup_off_epoch: int = option(0, "number of final epochs without mixup and cutmix", check=at_least(0))
    label_smoothing: bool = option(False, "label smoothing of 0.1 (Szegedy et al. 2015)")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._spell_records()
        if self.classes is not None and self.classes == _CLASSES.get(self.dataset):
            object.__setattr__(self, "classes", None)  # its fixed number
        for name in _WITHOUT_EFFECT.get(self.dataset, ()):
            if getattr(self, name) != type(self).__dataclass_fields__[name].default:
                others = ", ".join(other for other, without in _WITHOUT_EFFECT.items() if name not in without)
                raise UserError(f"option {name} has no effect on {self.dataset}: leave it out (it is for {others})")
        if self.auto_aug:
            if self.aa not in (None, ORIGINAL):
                raise UserError(f"option auto_aug means option aa {ORIGINAL}: leave out option aa {self.aa}")
            object.__setattr__(self, "aa", ORIGINAL)  # one spelling in config.yaml
            object.__setattr__(self, "auto_aug", False)
        if self.aa and self.rand_augment:
            raise UserError("option aa and option rand_augment are two policies: give one")
        if self.val_share and (self.rec_val or self.val_list):
            name = "rec_val" if self.rec_val else "val_list"
            raise UserError(f"option {name} names the test images, option val_share splits them off: give one")
        if self.val_seed and not self.val_share:
            raise UserError("option val_seed needs option val_share")

    def _spell_records(self) -> None:
        """Store the spellings of a data set of records as option dataset and rec_train: one spelling in config.yaml."""
        photographs = self.dataset in ("imagenet_folder", "imagenet_rec")
        if self.use_rec:
            if not photographs:
                raise UserError(f"option use_rec has no effect on {self.dataset}: leave it out")
            object.__setattr__(self, "dataset", "imagenet_rec")
            object.__setattr__(self, "use_rec", False)
        if photographs and str(self.data_dir).endswith(".rec"):
            if self.rec_train not in (None, self.data_dir):
                raise UserError(f"option data_dir {self.data_dir} names training records, option rec_train others")
            object.__setattr__(self, "dataset", "imagenet_rec")
            object.__setattr__(self, "rec_train", self.data_dir)
            object.__setattr__(self, "data_dir", None)
