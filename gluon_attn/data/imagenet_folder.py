"""ImageNet, or any photographs, as JPEG and PNG files in a folder for each class."""

import functools
import os
from pathlib import Path

from ..utils.errors import UserError
from .base import DATASETS
from .photos import source

#: GluonCV's place for the files
FOLDER = "~/.mxnet/datasets/imagenet"
ENDINGS = (".jpg", ".jpeg", ".png")


@DATASETS.register("imagenet_folder")
def imagenet_folder(cfg, seed):
    """`cfg.data_dir` with train/CLASS/IMAGE and val/CLASS/IMAGE; classes are numbered in the order of their names."""
    folder = Path(cfg.data_dir or FOLDER).expanduser()
    names = class_folders(folder / "val")
    train, val = (ImageFiles(folder / part, names) for part in ("train", "val"))
    return source("imagenet_folder", train, val, names, cfg)


class ImageFiles:
    """The images of a folder with class folders, sorted by class and name; the disk is read at the first use."""

    def __init__(self, folder, names=None):
        self._folder, self._names = folder, names

    def __len__(self):
        return len(self._paths_and_labels)

    def name(self, number):
        """What a message calls image `number`: its path."""
        return str(self._folder / self.path(number))

    def path(self, number):
        """CLASS/NAME of image `number`."""
        return self._paths_and_labels[number][0]

    def label(self, number):
        """Class number of image `number`."""
        return self._paths_and_labels[number][1]

    def read(self, number):
        """(bytes of the file, label) of image `number`; `OSError` when it cannot be read."""
        return Path(self.name(number)).read_bytes(), self.label(number)

    @functools.cached_property
    def _paths_and_labels(self):
        names = class_folders(self._folder)
        if self._names is not None and names != self._names:
            odd = sorted(set(names) ^ set(self._names))
            raise UserError(f"{self._folder} and its neighbour hold other classes: {', '.join(odd[:3])} is in one only")
        images = [
            (f"{name}/{file}", label)
            for label, name in enumerate(names)
            for file in _sorted_entries(self._folder / name, os.DirEntry.is_file)
            if file.lower().endswith(ENDINGS)
        ]
        if not images:
            raise UserError(f"{self._folder} holds no images: expected {self._folder}/CLASS/NAME.jpg (or .jpeg, .png)")
        return images


def class_folders(folder):
    """The names of the folders in `folder`, sorted; `UserError` when there are none."""
    names = _sorted_entries(folder, os.DirEntry.is_dir)
    if not names:
        raise UserError(f"{folder} holds no class folders: expected {folder}/CLASS/NAME.jpg")
    return tuple(names)


def _sorted_entries(folder, wanted):
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if wanted(entry) and not entry.name.startswith("."))
    except OSError as error:
        raise UserError(f"cannot read {folder}: {error.strerror}; name the folder with the images") from None
