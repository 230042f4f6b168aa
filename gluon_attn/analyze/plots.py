"""Curves over the epochs of training runs, with matplotlib."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..config.scores import ACCURACY
from .figures import COLOURS, integer_ticks, label_logarithmic_axis, save_png, svg_text

#: what the trainer wrote of one epoch
Record = Mapping[str, Any]

_STYLES = cycler(linestyle=("-", "--", ":")) * cycler(color=COLOURS)
#: panels of a comparison: heading -> key of the records
_COMPARED = {"training loss": "train_loss", ACCURACY.name: ACCURACY.key}
_WIDTH = 100  # characters that fit below the panels
_LOGARITHMIC = {"training loss", "test loss"}


def draw_history(history: Sequence[Record], path: str | Path) -> None:
    """Draw loss and accuracy over the epochs of a run, training and test, as a PNG.

    Args:
        history: The records of `Trainer.history`.
        path: File to write.
    """
    figure, found = panels(("loss", "accuracy"))
    for what, axes in found.items():
        for subset, label in (("train", "training"), ("val", "test")):
            _line(axes, history, f"{subset}_{what}", label)
        axes.legend(frameon=False)
    save_png(figure, path)


def compare_histories(histories: Mapping[str, Sequence[Record]], headings: Mapping[str, str] | None = None) -> str:
    """Draw curves of several runs in one picture, losses on a logarithmic axis.

    Args:
        histories: Name of each run -> the records of its `Trainer.history`.
        headings: Heading -> key of the records (default: training loss and test accuracy). Panels whose key no record
            has are left out.

    Returns:
        SVG text, the same for the same numbers.
    """
    keys: set[str] = set().union(*(record for history in histories.values() for record in history))
    wanted = headings or _COMPARED
    wanted = {heading: key for heading, key in wanted.items() if key in keys} or wanted
    figure, axes = panels(wanted)
    for name, history in histories.items():
        for heading, key in wanted.items():
            _line(axes[heading], history, key, name)
    for heading in wanted:
        if heading in _LOGARITHMIC:
            axes[heading].set_yscale("log")
            label_logarithmic_axis(axes[heading].yaxis)
    handles, columns = axes[next(iter(wanted))].lines, _WIDTH // (max(map(len, histories)) + 8)
    figure.legend(handles=handles, loc="outside lower center", ncols=max(1, min(columns, len(handles))), frameon=False)
    return svg_text(figure)


def draw_panels(headings: Mapping[str, str], history: Sequence[Record], path: str | Path) -> None:
    """Draw curves of one run as a PNG, a panel for each key that a record has.

    Args:
        headings: Heading of each panel -> key of the records.
        history: The records of `Trainer.history`.
        path: File to write.
    """
    known: set[str] = set().union(*history)
    wanted = {heading: key for heading, key in headings.items() if key in known}
    figure, axes = panels(wanted)
    for heading, key in wanted.items():
        rows = [record for record in history if record.get(key) is not None]
        _line(axes[heading], rows, key, heading)
    save_png(figure, path)


def method_styles() -> Iterator[dict[str, Any]]:
    """Colour and line style of each curve of a picture, in order; they begin anew after the last."""
    return itertools.cycle(_STYLES)


def panels(names: Iterable[str]) -> tuple[Figure, dict[str, Axes]]:
    """(figure, {name: axes}) with a panel over epochs for each name, two side by side."""
    names = list(names)
    rows = math.ceil(len(names) / 2)
    figure = Figure(figsize=(9, 3.4 * rows), layout="constrained")
    grid = figure.subplots(rows, 2, squeeze=False).flatten()
    for unused in grid[len(names) :]:
        unused.remove()
    found = dict(zip(names, grid, strict=False))
    for name, axes in found.items():
        axes.set(xlabel="epoch", ylabel=name)
        axes.set_prop_cycle(_STYLES)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        integer_ticks(axes.xaxis)
    return figure, found


def _line(axes: Axes, history: Sequence[Record], key: str, label: str) -> None:
    epochs, values = [record["epoch"] for record in history], [record.get(key, math.nan) for record in history]
    axes.plot(epochs, values, marker="o", markersize=3.5, linewidth=1.8, label=label)
