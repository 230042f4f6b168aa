"""ImageNet, or any photographs: RecordIO files, or image files in a folder for each class."""

import functools
from pathlib import Path
from typing import Any

from ..config.data import DataConfig
from ..utils.printable import printable
from .base import DATASETS, Dataset
from .class_lists import Classes, record_classes
from .crops import center_crop, random_resized_crop
from .image_folder import ImageFolder, class_folders
from .image_notes import Notes
from .photos import EncodedImages, PhotoSet
from .records import RecordFile

#: ImageNet's mean and standard deviation per channel, as every published network takes them
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZE = 224
#: GluonCV's folders for the files
FOLDER, RECORD_FOLDER = "~/.mxnet/datasets/imagenet", "~/.mxnet/datasets/imagenet/rec"


@DATASETS.register("imagenet_folder")
def imagenet_folder(cfg: DataConfig, seed: int) -> Dataset:
    """Photographs in train/CLASS/IMAGE and val/CLASS/IMAGE; classes are numbered in the order of their names.

    Args:
        cfg: options data_dir (default: GluonCV's folder), input_size (default 224) and crop_ratio.
        seed: not used.

    Raises:
        UserError: there are no class folders.
    """
    folder = Path(cfg.data_dir or FOLDER).expanduser()
    names = class_folders(folder / "val")
    train, val = (ImageFolder(folder / split, names) for split in ("train", "val"))
    return _photographs("imagenet_folder", train, val, Classes(tuple(map(printable, names))), cfg)


@DATASETS.register("imagenet_rec")
def imagenet_rec(cfg: DataConfig, seed: int) -> Dataset:
    """Photographs in train.rec and val.rec with their .idx files, as im2rec and `gluon-attn data pack` write them.

    The number of classes is `cfg.classes`, else as in the lists beside the records (train.lst and val.lst), else 1000.
    Their names are the folders in the lists; without these they are numbers.

    Args:
        cfg: options data_dir (default: GluonCV's folder) or rec_train and rec_val, input_size (default 224),
            crop_ratio.
        seed: not used.

    Raises:
        UserError: a list is none, or the two do not agree, see `class_lists.record_classes`.
    """
    folder = Path(cfg.data_dir or RECORD_FOLDER)
    train = RecordFile(cfg.rec_train or folder / "train.rec", cfg.rec_train_idx)
    val = RecordFile(cfg.rec_val or folder / "val.rec", cfg.rec_val_idx)
    classes = record_classes(train.path.with_suffix(".lst"), val.path.with_suffix(".lst"), cfg.classes)
    return _photographs("imagenet_rec", train, val, classes, cfg)


def _photographs(name: str, train: EncodedImages, val: EncodedImages, classes: Classes, cfg: DataConfig) -> Dataset:
    center = functools.partial(center_crop, ratio=cfg.crop_ratio)
    common: dict[str, Any] = {"classes": len(classes.names), "advice": classes.advice, "note": Notes()}
    common["size"] = cfg.input_size or SIZE
    return Dataset(
        name=name,
        train=PhotoSet(train, crop=random_resized_crop, **common),
        val=PhotoSet(val, crop=center, **common),
        class_names=classes.names,
        mean=MEAN,
        std=STD,
        flip=True,
        photographs=True,
    )
