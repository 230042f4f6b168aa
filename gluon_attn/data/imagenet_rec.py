"""ImageNet, or any photographs, in RecordIO files as im2rec and `gluon-attn data pack` write them."""

from pathlib import Path

from ..utils.errors import UserError
from .base import DATASETS
from .photos import source
from .records import RecordFile

#: GluonCV's place for the files
FOLDER = "~/.mxnet/datasets/imagenet/rec"
_MOST = 1000


@DATASETS.register("imagenet_rec")
def imagenet_rec(cfg, seed):
    """train.rec and val.rec with their .idx files.

    Classes: `cfg.classes`, else as many as val.lst tells, else 1000. Their names are the folders in val.lst; without
    that file their numbers.
    """
    folder = Path(cfg.data_dir or FOLDER)
    train = RecordFile(cfg.rec_train or folder / "train.rec", cfg.rec_train_idx)
    val = RecordFile(cfg.rec_val or folder / "val.rec", cfg.rec_val_idx)
    names = _class_names(val.path.with_suffix(".lst"))
    classes = cfg.classes or len(names) or _MOST
    names = names if len(names) == classes else tuple(map(str, range(classes)))
    return source("imagenet_rec", train, val, names, cfg)


def _class_names(path):
    """The folder of each label in an im2rec list (number, label, path), or () where the list does not tell."""
    try:
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()]
        found = {(int(float(row[1])), Path(row[-1]).parent.name) for row in rows}
    except OSError:
        return ()
    except (ValueError, IndexError, OverflowError):
        raise UserError(
            f"{path} is not a list of images as im2rec writes it: delete it or pack the images anew"
        ) from None
    names = dict(found)
    one_each = len(found) == len(names) == len(set(names.values())) and sorted(names) == list(range(len(names)))
    return tuple(names[label] for label in range(len(names))) if one_each else ()
