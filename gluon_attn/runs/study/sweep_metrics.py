"""The metric of a sweep file of Weights & Biases, as a score of our runs."""

from collections.abc import Callable, Mapping
from typing import Any

from ...config.scores import ACCURACY, BOX_AP, BOX_AP50, MASK_AP, MASK_AP50, Score
from ...config.tasks import CLASSIFICATION, DETECTION, TrainingTask
from ...utils.checks import is_number
from ...utils.errors import UserError

_TRAIN_LOSS = Score("train_loss", "training loss", higher_is_better=False)
#: name of a task -> what its epochs have
_SCORES = {
    CLASSIFICATION.name: (
        Score("val_loss", "test loss", higher_is_better=False), _TRAIN_LOSS, ACCURACY,
        Score("train_accuracy", "training accuracy"), Score("val_top5", "test accuracy, top-5"),
    ),
    DETECTION.name: (MASK_AP, MASK_AP50, BOX_AP, BOX_AP50, _TRAIN_LOSS),
}  # fmt: skip
#: name of a task -> metric in other people's scripts, in lower case -> ours
_NAMES = {
    CLASSIFICATION.name: {
        **dict.fromkeys(("loss", "val_loss", "test_loss", "validation_loss", "valid_loss", "eval_loss"), "val_loss"),
        "training_loss": "train_loss",
        **dict.fromkeys(
            ("acc", "accuracy", "val_acc", "test_acc", "test_accuracy", "validation_accuracy", "top1", "top_1",
             "prec1", "best_prec1", "top_1_accuracy", "val_top1"),
            "val_accuracy",
        ),
        **dict.fromkeys(("train_acc", "training_accuracy"), "train_accuracy"),
        **dict.fromkeys(("top5", "top_5", "prec5", "top_5_accuracy"), "val_top5"),
    },
    DETECTION.name: {
        **dict.fromkeys(("loss", "training_loss"), "train_loss"),
        **{
            f"{before}{kind}_map{after}": f"val_{kind}_mAP{after}"
            for before in ("", "val_", "test_", "coco_") for kind in ("bbox", "segm") for after in ("", "_50")
        },
        **dict.fromkeys(("box_ap", "bbox_ap"), BOX_AP.key),
        **dict.fromkeys(("mask_ap", "segm_ap"), MASK_AP.key),
    },
}  # fmt: skip


def read_metric(
    entry: Any, method: str, note: Callable[[str], None], task: TrainingTask
) -> tuple[Score | None, float | None]:
    """Understand key metric.

    Args:
        entry: its value; None where it is missing.
        method: of the sweep.
        note: called with a line where a name was understood as another one.
        task: what the runs train for.

    Returns:
        (what is optimized, None where the file does not say; the target or None).

    Raises:
        UserError: it has something that cannot be honoured.
    """
    if entry is None:
        if method == "bayes":
            raise UserError("method bayes needs key metric: what to optimize")
        return None, None
    name = entry.get("name") if isinstance(entry, Mapping) else None
    unknown = set(entry) - {"name", "goal", "target"} if isinstance(entry, Mapping) else {"metric"}
    if not isinstance(name, str) or unknown:
        raise UserError(f"key metric takes name, goal and target, got {entry!r}")
    score = _score(name, task)
    goal = entry.get("goal", "minimize")
    if goal not in ("minimize", "maximize"):
        raise UserError(f"key metric.goal takes minimize or maximize, got {goal!r}")
    if score.key != name:
        note(f"metric {name} is our {score.key}")
    if (goal == "maximize") != score.higher_is_better:
        raise UserError(f"key metric.goal is {goal}, which makes {score.key} worse: turn it round")
    target = entry.get("target")
    if target is not None and not is_number(target):
        raise UserError(f"key metric.target takes a number, got {target!r}")
    return score, target


def _score(name: str, task: TrainingTask) -> Score:
    """The score of a task that a metric's name means."""
    spelled = "_".join(name.lower().replace("/", "_").replace("-", "_").split())
    known = {score.key: score for score in _SCORES[task.name]}
    found = {key.lower(): key for key in known}.get(spelled) or _NAMES[task.name].get(spelled)
    if found is None:
        raise UserError(f"metric {name!r} is not known here: take one of {', '.join(known)}")
    return known[found]
