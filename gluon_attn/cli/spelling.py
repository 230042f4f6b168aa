"""Options as the command line spells them: the library says "option num_epochs", a command --num-epochs."""

import dataclasses
import re
from functools import cache

from ..config.base import field_types
from ..config.detect import DetectRunConfig
from ..config.ean import EanPipelineConfig
from ..config.search import AnasConfig, AttDartsConfig
from ..config.train import RunConfig

_OPTION = re.compile(r"\boption ([a-z][a-z0-9_]*)")
#: flags of timm's train.py whose namesakes here are spelled in another way -> these; others are near enough
OF_TIMM = {
    "--amp": "--dtype", "--amp-dtype": "--dtype", "--checkpoint-hist": "--keep-checkpoints",
    "--decay-epochs": "--lr-decay-period", "--decay-milestones": "--lr-decay-epoch", "--decay-rate": "--lr-decay",
    "--drop": "--drop-rate", "--grad-accum-steps": "--accumulate",
    "--img-size": "--input-size", "--initial-checkpoint": "--pretrained", "--min-lr": "--target-lr",
    "--model-ema": "--ema", "--model-ema-decay": "--ema",
    "--model-ema-warmup": "--ema-warmup", "--num-classes": "--classes", "--opt": "--optimizer",
    "--output": "--run-dir", "--sched": "--lr-mode", "--scheduler": "--lr-mode", "--smoothing": "--label-smoothing",
}  # fmt: skip
_UNLIKE = {"for_speed": "--for speed"}  # flags that are not the option's name
#: options of commands that are no part of a config
_OF_COMMANDS = (
    "all", "attentions", "batch_size", "calibration", "calibration_images", "check", "confusion", "dynamic",
    "for_speed", "format", "input_size", "layout", "max_drop", "max_failures", "model", "no_check", "out", "output",
    "params", "picture", "plugin", "precision", "preprocess", "quality", "repository", "resize", "results", "seeds",
    "score", "over_epochs", "source", "storage", "task", "threads", "to", "top", "trials", "vary", "weights",
    "with_preprocessing", "workers",
)  # fmt: skip


def with_flags(message: str) -> str:
    """Replace "option NAME" in a message of the library by the flag."""
    return _OPTION.sub(lambda found: flag(found[1]) if found[1] in _names() else found[0], message)


def flag(name: str) -> str:
    """The flag of the option `name`."""
    return _UNLIKE.get(name) or f"--{name.replace('_', '-')}"


@cache
def _names():
    names = set(_OF_COMMANDS)
    for kind in (RunConfig, AttDartsConfig, AnasConfig, EanPipelineConfig, DetectRunConfig):
        types = field_types(kind)
        for group in dataclasses.fields(kind):
            names.update(option.name for option in dataclasses.fields(types[group.name]))
    return frozenset(names)
