"""Compare run folders: their scores, and the options in which they differ.

Files are read as plain data, so that runs of an earlier version can be compared as well.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..config.scores import ACCURACY
from ..utils.table import without_empty
from .folder import RunFolder
from .run_network import RunNetwork, data_key, data_name, run_network

#: options that only say where a run is
_LOCATION = {"train.run_dir", "train.resume"}


@dataclass(frozen=True)
class Run:
    """A run folder.

    Attributes:
        name: Its shortest name that no other run has.
        options: "group.option" -> value.
        history: The records of its epochs, one or more.
        path: The folder.
    """

    name: str
    options: dict[str, Any]
    history: list[dict[str, Any]]
    path: Path

    @property
    def best(self) -> dict[str, Any]:
        """The record of the best test accuracy, the first of several."""
        return max(self.history, key=ACCURACY.of)

    @cached_property
    def network(self) -> RunNetwork:
        """Its network and what that costs."""
        return run_network(self.path, self.options)


def read_runs(folders: Sequence[str | Path]) -> list[Run]:
    """The `Run` of each folder; `UserError` if one is not a run folder."""
    paths = list(dict.fromkeys(Path(folder) for folder in folders))
    last = [path.resolve().name for path in paths]
    names: Sequence[str] = last if len(set(last)) == len(last) else list(map(str, paths))
    found = zip(names, map(RunFolder, paths), strict=True)
    return [Run(name, folder.read_options(), folder.read_history(), folder.path) for name, folder in found]


def best_run(runs: Sequence[Run]) -> int:
    """Index of the run with the best test accuracy, the first of several."""
    return max(range(len(runs)), key=lambda number: ACCURACY.of(runs[number].best))


def by_data(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs in groups with the same test images, whose scores are comparable."""
    groups: dict[tuple, list[Run]] = {}
    for run in runs:
        groups.setdefault(data_key(run.options), []).append(run)
    return list(groups.values())


def about(runs: Sequence[Run]) -> tuple[list[str], list[list[Any]]]:
    """(header, rows): data set, network and costs of each run, columns for any table of runs.

    The model is named only where runs differ in it.
    """
    models = [run.options.get("model.model") for run in runs]
    header = ["data set", *["model"] * (len(set(models)) > 1), "attention", "params (M)", "MACs (M)"]
    rows = [
        [data_name(run.options), *[model] * (len(header) > 4), run.network.attention or "none",
         _millions(run.network.params), _millions(run.network.macs)]
        for run, model in zip(runs, models, strict=True)
    ]  # fmt: skip
    return header, rows


def _millions(count: int | None) -> str | None:
    return None if count is None else f"{count / 1e6:,.{2 if count >= 1e5 else 4}f}"


def scores(runs: Sequence[Run]) -> tuple[list[str], list[list[Any]]]:
    """(header, rows) of a table with a row for each run; columns that no run has a value for are left out."""
    name, *columns = _SCORES
    header, known = about(runs)
    rows = [[run.name, *cells, *(_SCORES[one](run) for one in columns)] for run, cells in zip(runs, known, strict=True)]
    return without_empty([name, *header, *columns], rows)


def differences(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """(header, rows) of a table with a row for each option that is not the same in all runs."""
    names = sorted(set().union(*(run.options for run in runs)) - _LOCATION)
    rows = [[name, *(_text(run.options.get(name)) for run in runs)] for name in names]
    return ["option", *(run.name for run in runs)], [row for row in rows if len(set(row[1:])) > 1]


def _number(record: dict[str, Any], key: str) -> float | None:
    value = record.get(key)
    return value if isinstance(value, (int, float)) and math.isfinite(value) else None


def _column(history: Sequence[dict[str, Any]], key: str) -> list[float]:
    return [value for value in (_number(record, key) for record in history) if value is not None]


def _best(key: str, form: str) -> Callable[[Run], str | None]:
    def cell(run: Run) -> str | None:
        value = _number(run.best, key)
        return None if value is None else form.format(value)

    return cell


def _speed(run: Run) -> str | None:
    speeds = _column(run.history, "images_per_second")
    return f"{statistics.median(speeds):.0f}" if speeds else None


def _waited(run: Run) -> str | None:
    """Share of the training time that was spent waiting for data."""
    waits, spent = _column(run.history, "data_seconds"), sum(_column(run.history, "seconds"))
    return f"{sum(waits) / spent:.0%}" if waits and spent else None


def _minutes(run: Run) -> str | None:
    spent = _column(run.history, "seconds")
    return f"{sum(spent) / 60:.1f}" if spent else None


def _text(value: Any) -> str:
    """An option as the command line takes it; a dash for an option that a run does not know."""
    if isinstance(value, list):
        return ",".join(map(str, value)) or "none"
    return "-" if value is None else str(value)


#: heading -> function of a `Run`; scores are those of its best epoch, img/s is the median of all
_SCORES: dict[str, Callable[[Run], Any]] = {
    "run": lambda run: run.name,
    "epochs": lambda run: len(run.history),
    "best epoch": lambda run: run.best["epoch"],
    "top-1": _best(ACCURACY.key, "{:.2%}"),
    "top-5": _best("val_top5", "{:.2%}"),
    "test loss": _best("val_loss", "{:.4f}"),
    "training loss": _best("train_loss", "{:.4f}"),
    "img/s": _speed,
    "data wait": _waited,
    "minutes": _minutes,
}
