"""Sweep files of Weights & Biases, as the plan of a study.

The format is described at https://docs.wandb.ai/models/sweeps/sweep-config-keys. A key that cannot be honoured is an
error that names it; how names were understood is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...config.files import read_yaml
from ...config.scores import Score
from ...config.tasks import CLASSIFICATION, TrainingTask
from ...utils.errors import UserError
from .space import Dimension
from .sweep_metrics import read_metric
from .sweep_parameters import read_parameters

#: what the file must hold, for messages
SWEEP = "a sweep: a mapping with the keys method and parameters"
_TOP_LEVEL = {
    "program", "entity", "project", "description", "name", "method", "metric", "parameters", "early_terminate",
    "command", "run_cap",
}  # fmt: skip
_HYPERBAND = {"type", "min_iter", "max_iter", "s", "eta", "strict"}


@dataclass(frozen=True)
class SweepFile:
    """What a sweep file says.

    Attributes:
        program: file name of the training script, or None.
        method: "grid", "random" or "bayes".
        space: the options that are varied.
        fixed: "group.name" -> value of those with one value.
        score: what is optimized; None: the score that decides in the runs.
        target: score with which no new run is begun, or None.
        early: arguments of Optuna's `HyperbandPruner`; `max_resource` is left out where the file has no `max_iter`.
        count: number of runs, or None.
        name, project, entity, description: for Weights & Biases and the page.
        flags: words of option command that are flags of the program.
        notes: how names were understood, a line each.
    """

    program: str | None
    method: str
    space: tuple[Dimension, ...]
    fixed: Mapping[str, Any]
    score: Score | None
    target: float | None
    early: Mapping[str, Any] | None
    count: int | None
    name: str | None
    project: str | None
    entity: str | None
    description: str | None
    flags: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())


def read_sweep(data: Mapping[str, Any], task: TrainingTask = CLASSIFICATION) -> SweepFile:
    """Understand the content of a sweep file.

    Args:
        data: of the YAML file.
        task: what the runs train for.

    Raises:
        UserError: it is no sweep, or has something that cannot be honoured; the message names the key.
    """
    unknown = [key for key in data if key not in _TOP_LEVEL]
    if unknown or "parameters" not in data:
        raise UserError(f"no sweep: key {unknown[0]} is unknown" if unknown else "no sweep: it has no key parameters")
    method = data.get("method", "grid")
    if method not in ("grid", "random", "bayes"):
        raise UserError(f"key method takes grid, random or bayes, got {method!r}")
    notes: list[str] = []
    space, fixed = read_parameters(data["parameters"], method, notes.append, task.config)
    score, target = read_metric(data.get("metric"), method, notes.append, task)
    texts = {key: _text(data, key) for key in ("program", "name", "project", "entity", "description")}
    texts["program"] = _program(data)
    return SweepFile(
        method=method, space=tuple(space), fixed=fixed, score=score, target=target,
        early=_early(data.get("early_terminate")), count=_count(data.get("run_cap")),
        flags=_flags(data.get("command", ())), notes=tuple(notes), **texts,
    )  # fmt: skip


def read_program(path: Path | str) -> str | None:
    """The file name of the training script of a sweep file, or None; the rest of it is not looked at.

    Raises:
        UserError: the file cannot be read.
    """
    return _program(read_yaml(path, SWEEP))


def _program(data: Mapping[str, Any]) -> str | None:
    program = _text(data, "program")
    return program and program.replace("\\", "/").rpartition("/")[2]


def _early(entry: Any) -> dict[str, Any] | None:
    if entry is None:
        return None
    if not isinstance(entry, Mapping) or entry.get("type") != "hyperband" or set(entry) - _HYPERBAND:
        raise UserError(f"key early_terminate takes type: hyperband with min_iter, max_iter, s and eta, got {entry!r}")
    numbers = {key: entry[key] for key in ("min_iter", "max_iter", "s", "eta") if key in entry}
    for key, value in numbers.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < (2 if key == "eta" else 1):
            raise UserError(f"key early_terminate.{key} takes a whole number, got {value!r}")
    if entry.get("strict"):
        raise UserError("key early_terminate.strict cannot be honoured: leave it out")
    eta = numbers.get("eta", 3)
    if "min_iter" in numbers:
        least = numbers["min_iter"]
    elif {"max_iter", "s"} <= set(numbers):
        least = max(1, numbers["max_iter"] // eta ** numbers["s"])
    else:
        raise UserError("key early_terminate needs min_iter, or max_iter and s")
    most = {"max_resource": numbers["max_iter"]} if "max_iter" in numbers else {}
    return {"min_resource": least, "reduction_factor": eta, **most}


def _count(value: Any) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise UserError(f"key run_cap takes a whole number above 0, got {value!r}")
    return value


def _flags(words: Any) -> tuple[str, ...]:
    """The flags of a command beside the program and the macros of Weights & Biases."""
    if not isinstance(words, Sequence) or isinstance(words, str):
        raise UserError(f"key command takes a list of words, got {words!r}")
    rest = [str(word) for word in words if not str(word).startswith("${")]
    begin = next((i for i, word in enumerate(rest) if word.startswith("-")), len(rest))
    strange = [word for word in rest[:begin] if not word.rpartition("/")[2].startswith(("python", "env"))
               and not word.endswith(".py")]  # fmt: skip
    if strange:
        raise UserError(f"key command starts {strange[0]}, which cannot be honoured: runs are trained by gluon-attn")
    return tuple(rest[begin:])


def _text(data: Mapping[str, Any], key: str) -> str | None:
    value = data.get(key)
    if value is not None and not isinstance(value, str | int | float):
        raise UserError(f"key {key} takes text, got {value!r}")
    return None if value is None else str(value)
