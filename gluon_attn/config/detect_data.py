"""Options of a detector's data, which are in COCO's format."""

from dataclasses import dataclass

from ..utils.errors import UserError
from .base import Config, at_least, between, option

#: usual lengths of the shorter side and of the longest longer side
PHOTOGRAPHS = (800, 1333)
DATASETS = ("digit-scenes", "coco", "json")
_FILES = ("train_json", "train_folder", "val_json", "val_folder")


def _rising(value: tuple[int, ...]) -> str | None:
    fits = value and value[0] >= 32 and sorted(set(value)) == list(value)
    return None if fits else "takes lengths in ascending order, from 32 on"


@dataclass(frozen=True)
class DetectDataConfig(Config):
    """Images, annotations and batches."""

    dataset: str = option(
        "digit-scenes",
        "digit-scenes (composed from scikit-learn's digits), coco (COCO 2017 in --data-dir) or json (any annotations "
        "in COCO's format)",
        choices=DATASETS,
    )
    data_dir: str | None = option(
        None, "folder of COCO, with annotations/, train2017/ and val2017/; of digit-scenes: where they are written",
        flags=("--data",), metavar="DIR", path=True,
    )  # fmt: skip
    train_json: str | None = option(None, "training annotations, for json", metavar="FILE", path=True)
    train_folder: str | None = option(
        None, "folder of their images", flags=("--train-images",), metavar="DIR", path=True
    )
    val_json: str | None = option(None, "test annotations, for json", metavar="FILE", path=True)
    val_folder: str | None = option(None, "folder of their images", flags=("--val-images",), metavar="DIR", path=True)
    train_count: int | None = option(None, "train on the first N images only (digit-scenes: draw N, default 1200)",
                                     check=at_least(1))  # fmt: skip
    val_count: int | None = option(None, "test on the first N images only (digit-scenes: draw N, default 200)",
                                   check=at_least(1))  # fmt: skip
    max_bad_images: float = option(
        0.01, "share of the images that may be unreadable; the run ends with an error if there are more",
        check=between(0, 1),
    )  # fmt: skip
    batch_size: int = option(2, "images per step and device", flags=("-b", "--samples-per-gpu"), check=at_least(1))
    num_workers: int = option(
        2, "threads that prepare batches; 0: the training loop prepares them", flags=("-j", "--workers-per-gpu"),
        check=at_least(0),
    )  # fmt: skip
    min_size: tuple[int, ...] | None = option(
        None, "length of the shorter side; training draws one of several (default 800, digit-scenes 224)",
        check=_rising,
        several=True,
    )  # fmt: skip
    max_size: int | None = option(
        None, "longest longer side (default 1333, digit-scenes 256)", check=at_least(32)
    )  # fmt: skip
    square: bool = option(False, "one square canvas, for attentions that are bound to positions")
    flip: bool | None = option(
        None, "mirror images left to right with probability 0.5 (default: yes, but not digit-scenes)"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [name for name in _FILES if getattr(self, name)]
        if self.dataset == "json" and len(given) < len(_FILES):
            lack = next(name for name in _FILES if name not in given)
            raise UserError(f"option dataset json needs option {lack}")
        if self.dataset != "json" and given:
            raise UserError(f"option {given[0]} is for option dataset json: give that, too")
        if self.dataset == "coco" and not self.data_dir:
            raise UserError("option dataset coco needs option data_dir: the folder with annotations and images")
        if self.dataset == "json" and self.data_dir:
            raise UserError("option data_dir has no effect on json: leave it out")
        if self.min_size and self.min_size[-1] > self.sizes[1]:
            raise UserError(
                f"option min_size {self.min_size[-1]} is more than option max_size {self.sizes[1]}, the length of the "
                "longer side: give a larger option max_size, too"
            )

    @property
    def sizes(self) -> tuple[tuple[int, ...], int]:
        """(lengths of the shorter side, longest longer side), with the defaults of the data set."""
        scenes = self.dataset == "digit-scenes"
        shorter, longer = (224, 256) if scenes else PHOTOGRAPHS
        return self.min_size or (shorter,), self.max_size or longer
