"""Which classes records have: the lists (.lst) of im2rec and `data pack` beside them say it, and must not disagree."""

import re
from dataclasses import dataclass
from pathlib import Path

from ..utils.errors import UserError
from ..utils.log import get_logger
from ..utils.printable import printable

#: number of classes where nothing tells it
CLASSES = 1000
_NAMED = 3  # classes that a message names
_SET_CLASSES = "set option classes"
_PACK_AGAIN = "pack both folders again with gluon-attn data pack, the training images first"


@dataclass(frozen=True)
class ClassList:
    """The classes in a list of images.

    Attributes:
        path: the list.
        names: label -> folder of its images; empty where the folders do not tell the labels apart.
    """

    path: Path
    names: dict[int, str]

    @property
    def count(self) -> int | None:
        """Number of classes: labels are 0, 1, 2 ..., or 1, 2, 3 ... and then there is a class 0. None if some lack."""
        first = min(self.names)
        return max(self.names) + 1 if first < 2 and max(self.names) - first == len(self.names) - 1 else None


@dataclass(frozen=True)
class Classes:
    """The classes of training and test images.

    Attributes:
        names: name of each class; its number where no list names it.
        advice: what to do about a label that is none of them.
    """

    names: tuple[str, ...]
    advice: str = _SET_CLASSES


def read_class_list(path: Path) -> ClassList | None:
    """Read a list of images: lines of number, label and path, with tabs between.

    Args:
        path: the list; there may be none.

    Returns:
        The `ClassList`, or None.

    Raises:
        UserError: it is something else.
    """
    found: set[tuple[str, str]] = set()
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            for line in file:
                row = line.rstrip("\r\n").split("\t")
                found.add((row[1], row[-1].rpartition("/")[0]))
        pairs = {(int(float(label)), Path(folder).name) for label, folder in found}
    except OSError:
        return None
    except (ValueError, IndexError, OverflowError):
        raise UserError(
            f"{path} is not a list of images as im2rec writes it: delete it or pack the images again"
        ) from None
    names = dict(pairs)
    one_each = len(pairs) == len(names) == len(set(names.values())) and all(names.values())
    return ClassList(path, names if one_each and min(names, default=-1) >= 0 else {})


def record_classes(train: Path, val: Path, classes: int | None) -> Classes:
    """The classes of training and test records.

    Args:
        train: the list of the training records; there may be none.
        val: the list of the test records; there may be none.
        classes: number of classes, where option classes gives it.

    Raises:
        UserError: a list is none, the two number their classes differently, or name more than `classes`.
    """
    lists = [found for found in (read_class_list(train), read_class_list(val)) if found and found.names]
    if len(lists) == 2:
        _check_agreement(*lists)
    first = lists[0] if lists else None
    # a list of test images alone may lack classes: it counts only where they are 0, 1, 2 ...
    if first is None or (first.path == val and (first.count is None or 0 not in first.names)):
        return Classes(tuple(map(str, range(classes or CLASSES))))
    least = max(first.names) + 1
    if classes is not None and classes < least:
        raise UserError(f"option classes is {classes}, but {first.path} names {least} ({_some(first)}): leave it out")
    count = classes or first.count or CLASSES
    if 0 not in first.names or first.count is None:
        text = "labels in %s are not 0, 1, 2 ...: %d classes are assumed, some of which have no images (%s)"
        get_logger().warning(text, first.path, count, _PACK_AGAIN)
    names = tuple(printable(first.names.get(label, str(label))) for label in range(count))
    return Classes(names, f"{first.path} names {len(first.names)} ({_some(first)}); {_PACK_AGAIN}")


def train_list_beside(prefix: Path) -> Path | None:
    """The list of the training records that test records PREFIX belong to, such as train.lst beside val; else None."""
    name = re.sub(r"val(id(ation)?)?|test", "train", prefix.name, count=1)
    path = prefix.with_name(f"{name}.lst")
    return path if name != prefix.name and path.is_file() else None


def _check_agreement(train: ClassList, val: ClassList) -> None:
    """Every class of the test images has the same number and name in both lists."""
    numbers = {name: label for label, name in train.names.items()}
    wrong = [(label, name) for label, name in sorted(val.names.items()) if train.names.get(label) != name]
    if not wrong:
        return
    unknown = [printable(name) for _, name in wrong if name not in numbers]
    if unknown:
        reason = f"{', '.join(unknown[:_NAMED])} is in {val.path} only"
    else:
        label, name = wrong[0]
        reason = f"{printable(name)} is {numbers[name]} in {train.path} and {label} in {val.path}"
    raise UserError(f"training and test records have other classes: {reason}; {_PACK_AGAIN}")


def _some(found: ClassList) -> str:
    names = [printable(name) for _, name in sorted(found.names.items())]
    return ", ".join(names[:_NAMED] + ["..."] * (len(names) > _NAMED))
