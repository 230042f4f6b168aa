"""Curves over the epochs of training runs, with matplotlib."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import offset_copy

from ..config.scores import ACCURACY
from .figures import (
    COLOURS,
    integer_ticks,
    label_logarithmic_axis,
    label_percent_axis,
    legend_below,
    line_sign,
    save_png,
    svg_text,
)
from .page import Panels

#: what the trainer wrote of one epoch
Record = Mapping[str, Any]

_STYLES = cycler(linestyle=("-", "--", ":")) * cycler(color=COLOURS)
#: panels of a comparison: heading -> key of the records
_COMPARED = {"training loss": "train_loss", ACCURACY.name: ACCURACY.key}
_LOSSES = ("train_loss", "val_loss")
_APART = 9  # points between those of runs with a single epoch


def draw_history(history: Sequence[Record], path: str | Path) -> None:
    """Draw loss and accuracy over the epochs of a run, training and test, as a PNG.

    Args:
        history: The records of `Trainer.history`.
        path: File to write.
    """
    figure, found = panels(("loss", "accuracy"))
    for what, axes in found.items():
        for subset, label, side in (("train", "training", -1), ("val", "test", 1)):
            curve(axes, history, f"{subset}_{what}", side * _APART / 2 * (len(history) == 1), label=label)
    set_scales({f"val_{what}": axes for what, axes in found.items()})
    legend_below(figure, found["loss"].lines)
    save_png(figure, path)


def compare_histories(
    histories: Mapping[str, Sequence[Record]], description: str, headings: Mapping[str, str] | None = None
) -> Panels:
    """Draw curves of several runs, the losses on a logarithmic axis where they span more than a decade.

    Args:
        histories: Name of each run -> the records of its `Trainer.history`.
        description: What the pictures show, for those who cannot see them.
        headings: Heading -> key of the records (default: training loss and test accuracy). Panels whose key no record
            has are left out.

    Returns:
        The pictures, the same for the same numbers.
    """
    keys: set[str] = set().union(*(record for history in histories.values() for record in history))
    wanted = headings or _COMPARED
    wanted = {heading: key for heading, key in wanted.items() if key in keys} or wanted
    drawn = {heading: panels([heading]) for heading in wanted}
    single = [name for name, history in histories.items() if len(history) == 1]
    for style, (name, history) in zip(method_styles(), histories.items(), strict=False):
        place = single.index(name) - (len(single) - 1) / 2 if name in single else 0
        for heading, key in wanted.items():
            curve(drawn[heading][1][heading], history, key, aside=_APART * place, **style)
    found = {key: drawn[heading][1][heading] for heading, key in wanted.items()}
    set_scales(found)
    same_epochs(found.values(), [record["epoch"] for history in histories.values() for record in history])
    return Panels([svg_text(figure) for figure, _ in drawn.values()], description, legend(histories))


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
        curve(axes[heading], [record for record in history if record.get(key) is not None], key)
    same_epochs(axes.values(), [record["epoch"] for record in history])
    save_png(figure, path)


def method_styles() -> Iterator[dict[str, Any]]:
    """Colour and line style of each curve of a picture, in order; they begin anew after the last."""
    return itertools.cycle(_STYLES)


def legend(names: Iterable[str]) -> list[tuple[str, str]]:
    """The legend of `Panels` whose curves have the `method_styles`."""
    return [(line_sign(**style), name) for style, name in zip(method_styles(), names, strict=False)]


def panels(names: Iterable[str]) -> tuple[Figure, dict[str, Axes]]:
    """(figure, {name: axes}) with a panel over epochs for each name, two side by side."""
    names = list(names)
    columns = min(2, len(names))
    rows = math.ceil(len(names) / 2)
    figure = Figure(figsize=(4.8 * columns, 3.4 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    for unused in grid[len(names) :]:
        unused.remove()
    found = dict(zip(names, grid, strict=False))
    for name, axes in found.items():
        axes.set(xlabel="epoch", ylabel=name)
        axes.set_prop_cycle(_STYLES)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.ticklabel_format(axis="y", useOffset=False)
        integer_ticks(axes.xaxis)
    return figure, found


def curve(axes: Axes, history: Sequence[Record], key: str, aside: float = 0, **style: Any) -> None:
    """Draw a key of the records over the epochs; that of a single epoch as a large point.

    Args:
        axes: Of the panel.
        history: The records.
        key: Of the records.
        aside: By how many points of the page it is moved to the right.
        style: Of the line.
    """
    epochs, values = [record["epoch"] for record in history], [record.get(key, math.nan) for record in history]
    if len(epochs) == 1:
        style |= {"marker": "D", "markersize": 7, "zorder": 3}
    (line,) = axes.plot(epochs, values, **{"marker": "o", "markersize": 3.5, "linewidth": 1.8, **style})
    if aside:  # once the limits of the panel include it
        line.set_transform(offset_copy(line.get_transform(), axes.get_figure(root=True), x=aside, units="points"))


def set_scales(found: Mapping[str, Axes]) -> None:
    """Give panels that belong together like scales: losses all logarithmic or none, accuracies in per cent.

    Args:
        found: Key of the records -> axes.
    """
    losses = {key: axes for key, axes in found.items() if key in _LOSSES}
    logarithmic = any(_decades(axes) >= 1 for axes in losses.values())
    for axes in losses.values():
        if logarithmic:
            axes.set_yscale("log")
            label_logarithmic_axis(axes.yaxis)
            axes.grid(which="both" if _decades(axes) < 1 else "major", alpha=0.25)
    for key, axes in found.items():
        if key.endswith(("_accuracy", "_top5")):
            label_percent_axis(axes.yaxis)


def same_epochs(panels: Iterable[Axes], epochs: Sequence[int]) -> None:
    """Give panels the same axis of epochs."""
    first, last = min(epochs), max(epochs)
    for axes in panels:
        axes.set_xlim(first - max(0.5, 0.05 * (last - first)), last + max(0.5, 0.05 * (last - first)))


def _decades(axes: Axes) -> float:
    """Decades between the smallest and the largest value of a panel that are above 0."""
    values = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.lines])
    values = values[np.isfinite(values) & (values > 0)]
    return math.log10(values.max() / values.min()) if values.size else 0.0
