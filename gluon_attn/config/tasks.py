"""What networks are trained for: the options of a run for each task, and the scores by which its runs are compared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..utils.errors import UserError
from .base import Config, nearest
from .detect import DEFAULTS, DetectRunConfig, has_masks
from .scores import ACCURACY, BOX_AP, BOX_AP50, MASK_AP, MASK_AP50, Score
from .train import RunConfig


@dataclass(frozen=True)
class TrainingTask:
    """A task of `gluon-attn train`.

    Attributes:
        name: what option task takes.
        config: the class of a run's options.
        scores: config of a run -> what runs are compared by; the first decides.
        defaults: options by group, laid over the defaults of `config`.
    """

    name: str
    config: type[Config]
    scores: Callable[[Any], tuple[Score, ...]]
    defaults: Mapping[str, Mapping[str, Any]]


def _of_detector(config: DetectRunConfig) -> tuple[Score, ...]:
    boxes = BOX_AP, BOX_AP50
    return (MASK_AP, MASK_AP50, *boxes) if has_masks(config) else boxes


CLASSIFICATION = TrainingTask("classification", RunConfig, lambda config: (ACCURACY,), {})
DETECTION = TrainingTask("detection", DetectRunConfig, _of_detector, DEFAULTS)
TASKS = {task.name: task for task in (CLASSIFICATION, DETECTION)}


def task_named(name: str) -> TrainingTask:
    """The task that option task names.

    Raises:
        UserError: there is none of that name.
    """
    if name not in TASKS:
        raise UserError(f"option task must be one of {', '.join(TASKS)}, got {name!r}{nearest(name, TASKS)}")
    return TASKS[name]


def task_of(config: type[Config]) -> TrainingTask:
    """The task whose runs have options of a class; runs of other classes, such as searches, train classifiers."""
    return next((task for task in TASKS.values() if task.config is config), CLASSIFICATION)
