"""Bar charts and heat maps, with matplotlib."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from .figures import integer_ticks, legend_below, save_png

_NAMED, _COUNTED = 30, 12  # most classes whose names, and whose counts are written


def draw_bars(
    labels: Sequence[str], series: Sequence[str], values: Sequence[float], unit: str, path: str | Path
) -> None:
    """Draw horizontal bars as a PNG: a group for each label, in it a bar for each series.

    Args:
        labels: Label of each value.
        series: Series of each value; each has its colour.
        values: Lengths of the bars.
        unit: Name of the axis.
        path: File to write.
    """
    groups, kinds = list(dict.fromkeys(labels)), list(dict.fromkeys(series))
    thickness = 0.8 / len(kinds)
    figure = Figure(figsize=(9, 1.2 + 0.3 * len(groups) * len(kinds)), dpi=120, layout="constrained")
    axes = figure.subplots()
    for number, kind in enumerate(kinds):
        chosen = [
            (groups.index(label), value)
            for label, one, value in zip(labels, series, values, strict=True)
            if one == kind
        ]
        heights = [group + (number - (len(kinds) - 1) / 2) * thickness for group, _ in chosen]
        bars = axes.barh(heights, [value for _, value in chosen], thickness, label=kind)
        axes.bar_label(bars, fmt="%.1f", padding=3)
    axes.set_yticks(range(len(groups)), groups)
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.1)
    legend_below(figure)
    save_png(figure, path)


def draw_confusion(confusion: np.ndarray, names: Sequence[str], path: str | Path) -> None:
    """Draw a confusion matrix as a PNG: a row for each class, the share of each predicted class as its shade.

    Names are written for up to 30 classes, counts for up to 12.

    Args:
        confusion: Counts (classes,classes) as in `deploy.evaluate.Score`.
        names: Names of the classes.
        path: File to write.
    """
    classes = len(names)
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(7, 6), dpi=max(120, classes / 4), layout="constrained")
    axes = figure.subplots()
    shades = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xlabel="predicted class", ylabel="class")
    figure.colorbar(shades, label="share of the class")
    if classes <= _NAMED:
        axes.set_xticks(range(classes), names, rotation=90)
        axes.set_yticks(range(classes), names)
    if classes <= _COUNTED:
        for (row, column), count in np.ndenumerate(confusion):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count) if count else "", ha="center", va="center", color=colour)
    save_png(figure, path)


def operation_weights(history: Sequence[Mapping[str, Any]], operations: Mapping[str, Sequence[str]]) -> Figure:
    """Draw the softmax weight of each candidate operation over the epochs of a search, mean over all edges.

    Args:
        history: The records of a search's trainer, whose "mixing" holds the architecture parameters.
        operations: Name of an architecture parameter -> names of its candidate operations, along its last axis. Each
            parameter has a panel.

    Returns:
        The figure, for `figures.save_png` and `figures.svg_text`.
    """
    epochs = [record["epoch"] for record in history]
    columns = min(2, len(operations))
    rows = -(-len(operations) // columns)
    height = 1.2 + 0.28 * max(map(len, operations.values()))
    figure = Figure(figsize=(6 * columns, height * rows), dpi=110, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    for unused in grid[len(operations) :]:
        unused.remove()
    for axes, (name, names) in zip(grid, operations.items(), strict=False):
        extent = (epochs[0] - 0.5, epochs[-1] + 0.5, len(names) - 0.5, -0.5)
        weights = _mean_weights(history, name)
        shades = axes.imshow(weights, aspect="auto", cmap="viridis", interpolation="nearest", extent=extent)
        shades.set_clim(*_scale(weights))
        axes.set(title=name.replace("_", ", "), xlabel="epoch")
        axes.set_yticks(range(len(names)), names)
        integer_ticks(axes.xaxis)
        bar = figure.colorbar(shades, ax=axes, label="mean softmax weight")
        bar.ax.ticklabel_format(useOffset=False)
    return figure


def _scale(weights: np.ndarray) -> tuple[float, float]:
    """The lowest and the highest weight; those of rounding errors alone are the same colour."""
    low, high = float(weights.min()), float(weights.max())
    least = 1e-3 / len(weights)
    return (low, high) if high - low > least else (low - least, high + least)


def _mean_weights(history: Sequence[Mapping[str, Any]], name: str) -> np.ndarray:
    """(operations,epochs): softmax of each row of an architecture parameter, mean over the rows."""
    columns = []
    for record in history:
        alphas = np.atleast_2d(np.array(record["mixing"][name]))
        powers = np.exp(alphas - alphas.max(-1, keepdims=True))
        columns.append((powers / powers.sum(-1, keepdims=True)).mean(0))
    return np.stack(columns, axis=1)
