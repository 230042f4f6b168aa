"""ImageNet, or any photographs: RecordIO files, or JPEG and PNG files in a folder for each class."""

import functools
from pathlib import Path

from ..config.data import DataConfig
from ..utils.errors import UserError
from .base import DATASETS, Dataset
from .image_folder import ImageFolder, class_folders
from .photos import EncodedImages, PhotoSet, center_crop, random_resized_crop
from .records import RecordFile

#: ImageNet's mean and standard deviation per channel, as every published network takes them
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZE = 224
#: GluonCV's folders for the files
FOLDER, RECORD_FOLDER = "~/.mxnet/datasets/imagenet", "~/.mxnet/datasets/imagenet/rec"
_CLASSES = 1000


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
    return _photographs("imagenet_folder", train, val, names, cfg)


@DATASETS.register("imagenet_rec")
def imagenet_rec(cfg: DataConfig, seed: int) -> Dataset:
    """Photographs in train.rec and val.rec with their .idx files, as im2rec and `gluon-attn data pack` write them.

    The number of classes is `cfg.classes`, else as in val.lst, else 1000. Their names are the folders in val.lst;
    without that file they are numbers.

    Args:
        cfg: options data_dir (default: GluonCV's folder) or rec_train and rec_val, input_size (default 224),
            crop_ratio.
        seed: not used.

    Raises:
        UserError: val.lst is not a list of images.
    """
    folder = Path(cfg.data_dir or RECORD_FOLDER)
    train = RecordFile(cfg.rec_train or folder / "train.rec", cfg.rec_train_idx)
    val = RecordFile(cfg.rec_val or folder / "val.rec", cfg.rec_val_idx)
    names = _class_names(val.path.with_suffix(".lst"))
    classes = cfg.classes or len(names) or _CLASSES
    names = names if len(names) == classes else tuple(map(str, range(classes)))
    return _photographs("imagenet_rec", train, val, names, cfg)


def _photographs(
    name: str, train: EncodedImages, val: EncodedImages, class_names: tuple[str, ...], cfg: DataConfig
) -> Dataset:
    size, classes = cfg.input_size or SIZE, len(class_names)
    return Dataset(
        name=name,
        train=PhotoSet(train, classes, size, random_resized_crop),
        val=PhotoSet(val, classes, size, functools.partial(center_crop, ratio=cfg.crop_ratio)),
        class_names=class_names,
        mean=MEAN,
        std=STD,
        flip=True,
        photographs=True,
    )


def _class_names(path: Path) -> tuple[str, ...]:
    """The folder of each label in an im2rec list (number, label, path); () where the folders do not name the labels."""
    try:
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()]
        found = {(int(float(row[1])), Path(row[-1]).parent.name) for row in rows}
    except OSError:
        return ()
    except (ValueError, IndexError, OverflowError):
        raise UserError(
            f"{path} is not a list of images as im2rec writes it: delete it or pack the images again"
        ) from None
    names = dict(found)
    one_each = len(found) == len(names) == len(set(names.values())) and sorted(names) == list(range(len(names)))
    return tuple(names[label] for label in range(len(names))) if one_each else ()
