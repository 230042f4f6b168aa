"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html)."""

from ..config.data import DataConfig
from . import cifar_files
from .base import DATASETS, ArraySet, Dataset

#: (set, DataConfig.normalization) -> mean, std. open-atac takes GluonCV's CIFAR-10 figures for both sets.
NORMALIZATION = {
    ("cifar10", "open-atac"): ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
    ("cifar100", "open-atac"): ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
    ("cifar10", "att-darts"): ((0.49139968, 0.48215827, 0.44653124), (0.24703233, 0.24348505, 0.26158768)),
    ("cifar100", "att-darts"): ((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)),
}

#: class names in label order, as in the archives' batches.meta.txt and fine_label_names.txt
NAMES = {
    "cifar10": "airplane automobile bird cat deer dog frog horse ship truck",
    "cifar100": """
        apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
        camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile
        cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp
        lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree
        orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum
        rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
        squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train
        trout tulip turtle wardrobe whale willow_tree wolf woman worm""",
}


@DATASETS.register("cifar10")
def cifar10(cfg: DataConfig, seed: int) -> Dataset:
    """CIFAR-10: 50,000 training and 10,000 test images of 32x32 in 10 classes.

    Args:
        cfg: options data_dir and normalization.
        seed: not used.

    Raises:
        UserError: a file is missing, corrupt or cannot be downloaded.
    """
    return _open("cifar10", cfg)


@DATASETS.register("cifar100")
def cifar100(cfg: DataConfig, seed: int) -> Dataset:
    """CIFAR-100: 50,000 training and 10,000 test images of 32x32 in 100 (fine) classes.

    Args:
        cfg: options data_dir and normalization.
        seed: not used.

    Raises:
        UserError: a file is missing, corrupt or cannot be downloaded.
    """
    return _open("cifar100", cfg)


def _open(name: str, cfg: DataConfig) -> Dataset:
    train, val = cifar_files.load(name, cfg.data_dir)
    mean, std = NORMALIZATION[name, cfg.normalization]
    return Dataset(
        name=name,
        train=ArraySet(*train),
        val=ArraySet(*val),
        class_names=tuple(NAMES[name].split()),
        mean=mean,
        std=std,
        flip=True,
    )
