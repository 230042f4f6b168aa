"""Which image files are the training and the test images of a folder of photographs, and what to say where none are."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..utils.errors import UserError
from ..utils.log import get_logger
from ..utils.printable import printable
from .class_lists import Classes
from .image_folder import ImageFolder, class_folders, deeper_image, images_in, subfolders
from .image_list import LIST_ENDINGS, ImageList, check_apart, read_listing
from .photos import EncodedImages

#: names of the folder or list of the training and of the test images, the usual one first
TRAIN = ("train", "training")
VAL = ("val", "valid", "validation", "eval", "evaluation", "test")
_NAMED = 3  # class folders that a message names
_SHARE = "option val_share 0.2 tests on a fifth of the images of each class"


@dataclass(frozen=True)
class PhotoFiles:
    """The image files of a data set.

    Attributes:
        train: the training images.
        val: the test images; the training images where these are to be split.
        classes: their classes.
    """

    train: EncodedImages
    val: EncodedImages
    classes: Classes


def find_photos(root: Path, val_list: str | None = None, split: bool = False) -> PhotoFiles:
    """The photographs below a folder, or in a list.

    A folder has class folders, or a list, for the training images (train) and for the test images (val).

    Args:
        root: the folder, or the list of the training images.
        val_list: the list of the test images, where `root` is a list (default: val.csv beside train.csv).
        split: whether the test images are split off the training images: then a folder of class folders will do.

    Raises:
        UserError: there are no such images; the message says what is there and what is needed.
    """
    train, val = _both(root, val_list)
    if split and train and val:
        get_logger().warning("test images are split off %s; %s is not used", train, val)
    if split and not (train or val) and os.path.isdir(root) and subfolders(root) and not _inside(root):
        train = root
    if (train is None) if split else (val is None or (train is None and is_list(val))):
        raise UserError(_what_is_missing(root, train))
    train = train or root / TRAIN[0]
    return (_listed if is_list(train) else _folders)(train, None if split else val)


def _both(root: Path, val_list: str | None) -> tuple[Path | None, Path | None]:
    """The folders, or the lists, of the training and of the test images."""
    if is_list(root):
        return root, Path(val_list).expanduser() if val_list else _neighbor(root)
    if val_list:
        raise UserError(f"option val_list goes with a list of the training images, and {printable(str(root))} is none")
    train = _part(root, TRAIN)
    return train, _part(root, VAL, lists=is_list(train) if train else None)


def is_list(path: Path) -> bool:
    """Whether a path is that of a list."""
    return path.suffix.lower() in LIST_ENDINGS and not os.path.isdir(path)


def is_unsplit(root: Path) -> bool:
    """Whether it is a folder with class folders and nothing for training and test images, or a list alone."""
    if is_list(root):
        return _neighbor(root) is None
    return os.path.isdir(root) and bool(subfolders(root)) and not (_part(root, TRAIN) or _part(root, VAL))


def _folders(train: Path, val: Path | None) -> PhotoFiles:
    names = class_folders(val or train)
    first = ImageFolder(train, names)
    second = ImageFolder(val, names) if val else first
    return PhotoFiles(first, second, Classes(tuple(map(printable, names))))


def _listed(train: Path, val: Path | None) -> PhotoFiles:
    listing = read_listing(train)
    first = second = ImageList(listing)
    if val:
        other = read_listing(val)
        check_apart(listing, other)
        second = ImageList(other, listing.class_names)
    return PhotoFiles(first, second, Classes(listing.shown_names()))


def _part(root: Path, names: Sequence[str], lists: bool | None = None) -> Path | None:
    """The folder with class folders, or the list, of one of these names; `lists` says which of both it must be."""
    for name in names:
        folder = root / name
        if not lists and os.path.isdir(folder) and subfolders(folder):
            return folder
        found = [Path(f"{folder}{ending}") for ending in LIST_ENDINGS if os.path.isfile(f"{folder}{ending}")]
        if lists is not False and found:
            return found[0]
    return None


def _neighbor(train: Path) -> Path | None:
    """The list of the test images beside that of the training images: val.csv beside train.csv."""
    if TRAIN[0] not in train.name:
        return None
    found = [train.with_name(train.name.replace(TRAIN[0], other)) for other in VAL]
    return next((path for path in found if path.is_file()), None)


def _inside(root: Path) -> Path | None:
    """A folder in `root` that has training images, where an archive was unpacked into a folder of its own."""
    return next((root / name for name in subfolders(root) if _part(root / name, TRAIN)), None)


def _what_is_missing(root: Path, train: Path | None) -> str:
    """What a folder or list without test images has, and what to do."""
    shown = printable(str(root))
    if is_list(root):
        if not root.is_file():
            return f"cannot read {shown}: no such file; name the list of the training images"
        return f"{shown} lists the training images: name the test images with option val_list, or {_SHARE}"
    if not os.path.isdir(root):
        reason = "it is no folder" if root.exists() else "no such folder"
        return f"cannot read {shown}: {reason}; name the folder with the images"
    if train is not None:
        needed = f"{shown}/val.csv" if is_list(train) else f"{shown}/val/CLASS/NAME.jpg"
        return f"{shown} has training images ({train.name}) and no test images: add {needed}, or {_SHARE}"
    return f"{shown} {_what_it_holds(root, shown)}"


def _what_it_holds(root: Path, shown: str) -> str:
    """What a folder without training images holds, and what to do."""
    names, inside = subfolders(root), _inside(root)
    if any(root.glob("*.rec")):
        return "holds records: read them with option use_rec"
    if inside:
        return f"has no folders train and val, {inside.name} in it has: name {printable(str(inside))}"
    if set(names) & {*TRAIN, *VAL} or not names:
        lists = sorted(path.name for path in root.iterdir() if is_list(path))
        other = f", or name one of its lists, such as {printable(str(root / lists[0]))}" if lists else ""
        split = f"{shown}/train/CLASS/NAME.jpg and {shown}/val/CLASS/NAME.jpg"
        return f"holds no class folders: expected {split}, or with option val_share {shown}/CLASS/NAME.jpg{other}"
    deeper = None if images_in(root / names[0])[0] else deeper_image(root / names[0])
    if deeper:
        return (
            f"holds images one folder further down than class folders ({printable(f'{names[0]}/{deeper}')}): "
            f"name {printable(str(root / names[0]))}, or move the class folders up"
        )
    words = ", ".join([*map(printable, names[:_NAMED]), *["..."] * (len(names) > _NAMED)])
    return f"holds class folders ({words}), not train and val: {_SHARE}, or move them into train and val"
