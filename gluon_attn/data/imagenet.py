"""ImageNet, or any photographs: RecordIO files, or image files in a folder for each class."""

import functools
from pathlib import Path
from typing import Any

from ..config.data import DataConfig
from ..utils.log import get_logger
from .base import DATASETS, Dataset
from .class_lists import Classes, record_classes
from .crops import center_crop, random_resized_crop
from .image_notes import Notes
from .photo_files import find_photos
from .photos import EncodedImages, PhotoSet
from .records import RecordFile

#: ImageNet's mean and standard deviation per channel, as every published network takes them
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZE = 224
#: GluonCV's folders for the files
FOLDER, RECORD_FOLDER = "~/.mxnet/datasets/imagenet", "~/.mxnet/datasets/imagenet/rec"
_NO_TEST_RECORDS = (
    "name the test records with option rec_val, or split them off the training records with option val_share 0.2"
)


@DATASETS.register("imagenet_folder")
def imagenet_folder(cfg: DataConfig, seed: int) -> Dataset:
    """Photographs in train/CLASS/IMAGE and val/CLASS/IMAGE, or in lists, train.csv and val.csv, see `find_photos`.

    Classes are numbered in the order of their names. With `cfg.val_share` the test images are the training images,
    from which `open_dataset` splits them.

    Args:
        cfg: options data_dir (default: GluonCV's folder), val_list, val_share, input_size (default 224), crop_ratio,
            scaled_decode.
        seed: not used.

    Raises:
        UserError: there are no such images.
    """
    found = find_photos(Path(cfg.data_dir or FOLDER).expanduser(), cfg.val_list, split=cfg.val_share > 0)
    return _photographs("imagenet_folder", found.train, found.val, found.classes, cfg)


@DATASETS.register("imagenet_rec")
def imagenet_rec(cfg: DataConfig, seed: int) -> Dataset:
    """Photographs in train.rec and val.rec with their .idx files, as im2rec and `gluon-attn data pack` write them.

    The number of classes is `cfg.classes`, else as in the lists beside the records (train.lst and val.lst), else 1000.
    Their names are the folders in the lists; without these they are numbers. With `cfg.val_share` the test images are
    the training images, from which `open_dataset` splits them.

    Args:
        cfg: options data_dir (default: GluonCV's folder) or rec_train and rec_val, val_share, input_size (default
            224), crop_ratio, scaled_decode.
        seed: not used.

    Raises:
        UserError: a list is none, or the two do not agree, see `class_lists.record_classes`.
    """
    folder = Path(cfg.data_dir or (Path(cfg.rec_train).parent if cfg.rec_train else RECORD_FOLDER))
    train = RecordFile(cfg.rec_train or folder / "train.rec", cfg.rec_train_idx)
    val = RecordFile(cfg.rec_val or folder / "val.rec", cfg.rec_val_idx, _NO_TEST_RECORDS)
    if cfg.val_share:
        if val.path.exists():
            get_logger().warning("test images are split off %s; %s is not used", train.path, val.path)
        val = train
    classes = record_classes(train.path.with_suffix(".lst"), val.path.with_suffix(".lst"), cfg.classes)
    return _photographs("imagenet_rec", train, val, classes, cfg)


def _photographs(name: str, train: EncodedImages, val: EncodedImages, classes: Classes, cfg: DataConfig) -> Dataset:
    center = functools.partial(center_crop, ratio=cfg.crop_ratio)
    common: dict[str, Any] = {"classes": len(classes.names), "advice": classes.advice, "note": Notes()}
    common["size"] = cfg.input_size or SIZE
    return Dataset(
        name=name,
        train=PhotoSet(train, crop=random_resized_crop, scaled=cfg.scaled_decode, **common),
        val=PhotoSet(val, crop=center, **common),
        class_names=classes.names,
        mean=MEAN,
        std=STD,
        flip=True,
        photographs=True,
    )
