"""Options of a detector's training: data in COCO's format, and how both stages learn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ..utils.errors import UserError
from .base import Config, at_least, between, option, rate
from .files import merge
from .model import ModelConfig
from .optim import OptimConfig
from .train import TrainConfig, data_and_network

DATASETS = ("digit-scenes", "coco", "json")
HEAD_NORMS = ("none", "batch", "group")
#: name -> (epochs, epochs at which the rate is lowered)
SCHEDULES = {"1x": (12, (8, 11)), "2x": (24, (16, 22))}
_FILES = ("train_json", "train_folder", "val_json", "val_folder")
#: group -> options that have no effect on a detector
HIDDEN = {
    "model": {
        "ksize", "use_pretrained", "auxiliary", "arch_path", "net_type", "act_layers", "drop_rate", "init_ch", "layers",
        "blocks",
    },
    "train": {
        "auxiliary_weight", "drop_path_prob", "evaluate", "start_epoch", "resume_states", "trust", "save_period",
        "save_dir",
    },
    "optim": {"layer_decay"},
}  # fmt: skip


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
        return self.min_size or ((224,) if scenes else (800,)), self.max_size or (256 if scenes else 1333)


@dataclass(frozen=True)
class DetectModelConfig(ModelConfig):
    """The detector: its backbone and attention, and the norms of what follows."""

    model: str = option(
        "mask_rcnn_fpn_eca_resnet50", "mask_rcnn_fpn_BACKBONE or faster_rcnn_fpn_BACKBONE", flags=("--arch", "-a")
    )
    pretrained: str | None = option(
        None, "parameter file to initialize from: of a classifier, for the backbone, or of a detector",
        flags=("--load-from", "--resume-params", "--model-path"), metavar="FILE", path=True,
    )  # fmt: skip
    head_norm: str = option(
        "none", "norms after the convolutions of pyramid and heads, which have no biases then; batch norms there "
        "are trained, over all processes with --sync-bn", choices=HEAD_NORMS,
    )  # fmt: skip


@dataclass(frozen=True)
class DetectOptimConfig(OptimConfig):
    """The optimizer and its schedule."""

    lr_batch: int = option(16, "global batch size that --lr is for, with --lr-scaling", check=at_least(1))


@dataclass(frozen=True)
class DetectTrainConfig(TrainConfig):
    """Length, devices and files of a run."""

    resume: str | None = option(
        None, "auto resumes from the newest complete checkpoint of the run; or a run folder or its newest checkpoint, "
        "such as epoch_5", flags=("--resume-from",), metavar="auto|CHECKPOINT",
    )  # fmt: skip


@dataclass(frozen=True)
class DetectConfig(Config):
    """Proposals, samples and losses of a detector."""

    schedule: str = option(
        "1x", "length of the run and epochs of the steps of the rate, where they are not given: " + ", ".join(
            f"{name} is {epochs} epochs, steps at {' and '.join(map(str, steps))}"
            for name, (epochs, steps) in SCHEDULES.items()
        ), choices=tuple(SCHEDULES),
    )  # fmt: skip
    rpn_samples: int = option(256, "anchors that the first stage learns from, per image", check=at_least(1))
    roi_samples: int = option(512, "rois that the second stage learns from, per image", check=at_least(1))
    roi_positive: float = option(0.25, "largest share of them that find an object", check=between(0.01, 1))
    pre_nms: int = option(2000, "best anchors of each level that become proposals in training", check=at_least(1))
    post_nms: int = option(2000, "proposals of an image in training", check=at_least(1))
    test_pre_nms: int = option(1000, "as --pre-nms, in evaluation", check=at_least(1))
    test_post_nms: int = option(1000, "as --post-nms, in evaluation", check=at_least(1))
    beta: float = option(1 / 9, "where smooth L1 becomes linear; 0: L1, as MMDetection has it", check=at_least(0))
    score_threshold: float = option(0.05, "least score of a detection", check=rate)
    nms_threshold: float = option(0.5, "largest IoU of two detections of a class", check=between(0.01, 1))
    detections: int = option(100, "detections of an image", check=at_least(1))
    norm_eval: bool = option(True, "batch norms compute with their running statistics, which stay as they are")
    frozen_stages: int | None = option(
        None, "stages of the backbone that are not trained, the stem included; 0: none (default: 1 with --pretrained, "
        "else 0)", check=between(0, 4),
    )  # fmt: skip
    eval_every: int = option(1, "epochs from one evaluation to the next; the last is evaluated", check=at_least(1))


@dataclass(frozen=True)
class DetectRunConfig(Config):
    """All options of a detector's training; written to the run folder as config.yaml."""

    data: DetectDataConfig = option(DetectDataConfig(), "the data")
    model: DetectModelConfig = option(DetectModelConfig(), "the network")
    optim: DetectOptimConfig = option(DetectOptimConfig(), "the optimizer")
    detect: DetectConfig = option(DetectConfig(), "detection")
    train: DetectTrainConfig = option(DetectTrainConfig(), "the run")

    kind: ClassVar[str] = "detect"

    def __post_init__(self) -> None:
        super().__post_init__()
        for group, names in HIDDEN.items():
            own = getattr(self, group)
            for name in sorted(names):
                if getattr(own, name) != getattr(type(own)(), name):
                    raise UserError(f"option {name} has no effect on a detector: leave it out")
        if self.model.norm == "group" and self.model.head_norm == "batch":
            raise UserError("option norm group is for the whole detector: give option head_norm group, or leave it out")
        if self.optim.sync_bn and self.detect.norm_eval and self.model.head_norm != "batch":
            raise UserError(
                "option sync_bn has no effect while option norm_eval keeps the statistics of all batch norms: turn "
                "that off, or give option head_norm batch"
            )

    @property
    def name_parts(self) -> tuple[str | None, ...]:
        """Parts of the default name of the run folder; None is left out."""
        return data_and_network(self)


def scheduled(name: str) -> dict[str, dict[str, Any]]:
    """What one of `SCHEDULES` says, as plain data by option group."""
    epochs, steps = SCHEDULES[name]
    return {"optim": {"lr_decay_epoch": list(steps)}, "train": {"num_epochs": epochs}}


def has_masks(config: Any) -> bool:
    """Whether the detector of a `DetectRunConfig` finds masks, beside boxes."""
    return not config.model.model.startswith("faster_rcnn")


#: what a detector's training begins with: the schedule 1x, its rate for 16 images an update
DEFAULTS: dict[str, dict[str, Any]] = merge(scheduled("1x"), {
    "optim": {
        "optimizer": "sgd", "lr": 0.02, "lr_scaling": "linear", "wd": 1e-4,
        "warmup_updates": 500, "warmup_lr": 2e-5,
    },
})  # fmt: skip
#: (group, name) -> whether an option of a detector's training has a flag
shown_option: Callable[[str, str], bool] = lambda group, name: name not in HIDDEN.get(group, ())  # noqa: E731
