"""Detection data sets in COCO's format: one JSON file of annotations and a folder of images.

Entries that are wrong are left out one by one, counted and told; a file that is wrong as a whole is one line.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..utils.errors import UserError
from ..utils.log import get_logger
from ..utils.paths import expanded
from ..utils.printable import printable
from .coco_file import read_coco_file
from .coco_set import CocoSet, Table

__all__ = ["LAYOUT", "CocoSet", "open_coco", "open_coco_folder"]
#: (JSON file, folder of images) of the training and of the test split in COCO's own layout
LAYOUT = (
    ("annotations/instances_train2017.json", "train2017"),
    ("annotations/instances_val2017.json", "val2017"),
)
_TRIED = 3  # images that must not all be missing


def open_coco_folder(folder: Path | str, *, masks: bool = True) -> tuple[CocoSet, CocoSet]:
    """The training and the test set of COCO's own layout, see `LAYOUT`.

    Args:
        folder: holds "annotations", "train2017" and "val2017".
        masks: as of `open_coco`.

    Raises:
        UserError: as `open_coco`, or a part of the layout is missing.
    """
    root = Path(expanded(str(folder)))
    parts = [name for split in LAYOUT for name in split]
    for name in parts:
        if not (root / name).exists():
            raise UserError(f"{root} has no {name}: name the folder that holds {', '.join(parts)} (option data_dir)")
    train, test = ((root / file, root / images) for file, images in LAYOUT)
    first = open_coco(*train, masks=masks)
    return first, open_coco(*test, masks=masks, like=first)


def open_coco(
    json_file: Path | str, image_folder: Path | str, *, masks: bool = True, like: CocoSet | None = None
) -> CocoSet:
    """Read a JSON file; what of it is left out or changed is logged, one line for each reason.

    Args:
        json_file: annotations in COCO's format.
        image_folder: the folder that "file_name" of its images is relative to.
        masks: whether masks are read; an annotation without one is left out then.
        like: the training set, where this is the test set that belongs to it: gives the classes.

    Raises:
        UserError: the file as a whole, or the folder, cannot be used.
    """
    path, folder = Path(expanded(str(json_file))), Path(expanded(str(image_folder)))
    known = None
    if like is not None:
        known = like.path, dict(zip(like.category_ids, like.class_names, strict=True))
    content = read_coco_file(path, masks, known)
    names = tuple(image.file_name for image in content.images)
    _check_files(path, folder, names)
    for line in content.findings.lines():
        get_logger().warning("%s", line)
    counts = np.array([len(rows) for rows in content.annotations], np.int64)
    return CocoSet(
        path=path,
        folder=folder,
        class_names=tuple(content.classes.values()),
        category_ids=tuple(content.classes),
        image_ids=np.array([image.id for image in content.images], np.int64),
        sizes=np.array([image.size for image in content.images], np.int32),
        file_names=names,
        starts=np.cumsum(counts) - counts,
        counts=counts,
        table=Table.of([one for rows in content.annotations for one in rows]),
        masks=masks,
        findings=content.findings,
    )


def _check_files(path: Path, folder: Path, names: Sequence[str]) -> None:
    """A wrong folder is found before training; single images that are missing are left out during it."""
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}, which should hold the images of {path}")
    tried = names[:: max(1, len(names) // _TRIED)][:_TRIED]
    if not any((folder / name).exists() for name in tried):
        raise UserError(f"{folder} does not hold the images of {path}, such as {printable(tried[0])}")
