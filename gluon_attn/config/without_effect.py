"""Options that act only beside others: one that is given alone is told, not refused.

Command lines and recipes of other repositories name such options at their usual values, and files of earlier runs hold
all options, so that a refusal would stop what works.
"""

from collections.abc import Callable
from typing import Any

from .base import field_types

#: (what an option needs, group of options -> whether it is there)
Need = tuple[str, Callable[[Any], bool]]

_STEP: Need = ("option lr_mode step", lambda optim: optim.lr_mode == "step")
#: group -> option -> what it needs there
NEEDS: dict[str, dict[str, Need]] = {
    "data": {
        "cutout_length": ("option cutout", lambda data: data.cutout),
        "mixup_alpha": ("option mixup", lambda data: data.mixup),
        "cutmix_alpha": ("option cutmix", lambda data: data.cutmix),
        "mixup_off_epoch": ("option mixup or option cutmix", lambda data: data.mixup or data.cutmix),
    },
    "optim": {
        "lr_decay": _STEP,
        "lr_decay_period": _STEP,
        "lr_decay_epoch": (
            "option lr_mode step without option lr_decay_period",
            lambda optim: optim.lr_mode == "step" and not optim.lr_decay_period,
        ),
        "target_lr": ("option lr_mode cosine or poly", lambda optim: optim.lr_mode != "step"),
        "warmup_lr": (
            "option warmup_epochs or option warmup_updates",
            lambda optim: bool(optim.warmup_epochs or optim.warmup_updates),
        ),
    },
    "train": {
        "benchmark_batches": (
            "option benchmark or option data_benchmark",
            lambda train: train.benchmark or train.data_benchmark,
        ),
    },
}
_SEVERAL: Need = ("several processes", lambda optim: False)
#: as `NEEDS`, in a run of one process
ALONE: dict[str, dict[str, Need]] = {"optim": {"num_groups": _SEVERAL, "fp16_allreduce": _SEVERAL}}


def without_effect(config: Any, asked: Callable[[str], Any], processes: int) -> tuple[str, ...]:
    """What is given and changes nothing, because what it acts on is not there; one line each.

    Args:
        config: the options, with any of the groups of `NEEDS`.
        asked: "group.name" -> the value that was given, or None. A value that is the option's default does not count.
        processes: of the run.
    """
    found = []
    for group in field_types(type(config)).keys() & NEEDS.keys():
        values = getattr(config, group)
        needs = {**NEEDS[group], **({} if processes > 1 else ALONE.get(group, {}))}
        for name, (needed, there) in needs.items():
            field = type(values).__dataclass_fields__.get(name)
            if field is None or asked(f"{group}.{name}") is None or getattr(values, name) == field.default:
                continue
            if not there(values):
                found.append(f"option {name} has no effect: it needs {needed}")
    return tuple(sorted(found))
