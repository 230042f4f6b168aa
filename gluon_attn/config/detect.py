"""Options of a detector's training: network, and how both stages learn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ..utils.errors import UserError
from .base import Config, at_least, between, option, rate
from .detect_data import DetectDataConfig
from .files import merge
from .model import ModelConfig
from .optim import OptimConfig
from .train import RESUME, TrainConfig, check_freeze_epochs, data_and_network

HEAD_NORMS = ("none", "batch", "group")
#: name -> (epochs, epochs at which the rate is lowered)
SCHEDULES = {"1x": (12, (8, 11)), "2x": (24, (16, 22))}
#: group -> options that have no effect on a detector
HIDDEN = {
    "model": {
        "ksize", "use_pretrained", "auxiliary", "arch_path", "net_type", "act_layers", "drop_rate", "init_ch", "layers",
        "blocks",
    },
    "train": {
        "auxiliary_weight", "drop_path_prob", "evaluate", "start_epoch", "resume_states", "trust", "save_period",
        "save_dir", "bce_loss", "bce_sum", "bce_target_threshold",
    },
    "optim": {"layer_decay"},
}  # fmt: skip


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
        None, RESUME, flags=("--resume-from",), metavar="auto|CHECKPOINT", path=True
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
    norm_eval: bool | None = option(
        None, "batch norms of the backbone compute with their running statistics, which stay as they are (default: "
        "with --pretrained)",
    )  # fmt: skip
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
        check_freeze_epochs(self, bool(self.model.pretrained))
        if self.model.norm == "group" and self.model.head_norm == "batch":
            raise UserError("option norm group is for the whole detector: give option head_norm group, or leave it out")
        if self.optim.sync_bn and self.norm_eval and self.model.head_norm != "batch":
            raise UserError(
                "option sync_bn has no effect while option norm_eval keeps the statistics of all batch norms: turn "
                "that off, or give option head_norm batch"
            )

    @property
    def norm_eval(self) -> bool:
        """Whether the backbone's batch norms keep their statistics."""
        return bool(self.model.pretrained) if self.detect.norm_eval is None else self.detect.norm_eval

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
