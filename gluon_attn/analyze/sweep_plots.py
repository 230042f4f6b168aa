"""Pictures of a sweep: its trials over time, as parallel coordinates, and over the two most important options."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figures import integer_ticks, label_logarithmic_axis, legend_below, svg_text

_SHADES = "viridis"


def draw_progress(scores: Sequence[float | None], higher_is_better: bool, name: str) -> str:
    """Draw the score of each run and the best so far.

    Args:
        scores: of the runs in order; None for one without.
        higher_is_better: the direction.
        name: of the score.
    """
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots()
    numbers = [number for number, score in enumerate(scores) if score is not None]
    values = [score for score in scores if score is not None]
    best = (np.maximum if higher_is_better else np.minimum).accumulate(values)
    axes.plot(numbers, values, "o", color="#56b4e9", label="run")
    axes.step(numbers, best, where="post", color="#d55e00", label="best so far")
    axes.set(xlabel="run", ylabel=name)
    legend_below(figure)
    integer_ticks(axes.xaxis)
    _plain(axes)
    return svg_text(figure)


def draw_parallel(rows: Sequence[Mapping[str, Any]], scores: Sequence[float], name: str) -> str:
    """Draw each run as a line over its options, coloured by its score.

    Args:
        rows: options of each run, option -> value, all with the same options.
        scores: of the runs.
        name: of the score.
    """
    keys = list(rows[0])
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    scaled, labels = zip(*(_scaled([row[key] for row in rows]) for key in keys), strict=True)
    heights = np.array([*scaled, _unit(np.array(scores))]).T
    shades = _shades(scores)
    for line, shade in zip(heights, shades, strict=True):
        axes.plot(range(len(keys) + 1), line, color=shade, alpha=0.8, linewidth=1.4)
    for place, ticks in enumerate(labels):
        for height, text in ticks:
            axes.annotate(text, (place, height), xytext=(4, 2), textcoords="offset points", fontsize=8)
    for place, end in ((0, min(scores)), (1, max(scores))):
        axes.annotate(f"{end:.4g}", (len(keys), place), xytext=(4, 2), textcoords="offset points", fontsize=8)
    axes.set_xticks(range(len(keys) + 1), [*keys, name])
    axes.set_yticks([])
    axes.grid(axis="x", alpha=0.5)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.margins(x=0.08)
    return svg_text(figure)


def draw_importances(importances: Mapping[str, float]) -> str:
    """Draw the importance of each option for the score, shares of 1 (fANOVA, Hutter et al. 2014)."""
    figure = Figure(figsize=(9, 0.9 + 0.35 * len(importances)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(list(importances), list(importances.values()), color="#0072b2", height=0.6)
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.invert_yaxis()
    axes.set_xlabel("importance")
    axes.margins(x=0.1)
    _plain(axes)
    return svg_text(figure)


def draw_pair(rows: Sequence[Mapping[str, Any]], scores: Sequence[float], keys: tuple[str, str], name: str) -> str:
    """Draw the runs over two options, coloured by their score, with contours between them where both are numbers.

    Args:
        rows: options of each run.
        scores: of the runs.
        keys: the two options.
        name: of the score.
    """
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    axes = figure.subplots()
    columns = [[row[key] for row in rows] for key in keys]
    places = [_places(column) for column in columns]
    if all(map(_is_numeric, columns)) and len({*zip(*columns, strict=True)}) > 3:
        _contours(axes, places[0], places[1], scores)
    dots = axes.scatter(places[0], places[1], c=scores, cmap=_SHADES, edgecolors="#000000", linewidths=0.6, s=50)
    for axis, key, column in zip((axes.xaxis, axes.yaxis), keys, columns, strict=True):
        axis.set_label_text(key)
        if not _is_numeric(column):
            names = sorted(set(map(_word, column)))
            axis.set_ticks(range(len(names)), names)
    for set_scale, axis, column in zip(
        (axes.set_xscale, axes.set_yscale), (axes.xaxis, axes.yaxis), columns, strict=True
    ):
        if _is_numeric(column) and min(column) > 0 and max(column) / min(column) > 30:
            set_scale("log")
            label_logarithmic_axis(axis)
    figure.colorbar(dots, label=name)
    _plain(axes)
    return svg_text(figure)


def _contours(axes: Axes, xs: Sequence[float], ys: Sequence[float], scores: Sequence[float]) -> None:
    try:
        axes.tricontourf(xs, ys, scores, levels=12, cmap=_SHADES, alpha=0.5)
    except (RuntimeError, ValueError):  # all on one line: there is no area between them
        return


def _scaled(values: Sequence[Any]) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """(heights from 0 to 1, (height, text) of the ticks)."""
    if _is_numeric(values):
        numbers = np.array(values, float)
        logarithmic = numbers.min() > 0 and numbers.max() / numbers.min() > 30
        ends = sorted({float(numbers.min()), float(numbers.max())})
        heights = _unit(np.log(numbers) if logarithmic else numbers)
        return heights, [(0.0 if len(ends) == 1 or end == ends[0] else 1.0, f"{end:.4g}") for end in ends]
    names = sorted(set(map(_word, values)))
    span = max(1, len(names) - 1)
    return np.array(_places(values)) / span, [(number / span, one) for number, one in enumerate(names)]


def _places(values: Sequence[Any]) -> list[float]:
    if _is_numeric(values):
        return [float(value) for value in values]
    names = sorted(set(map(_word, values)))
    return [float(names.index(_word(value))) for value in values]


def _unit(values: np.ndarray) -> np.ndarray:
    spread = values.max() - values.min()
    return (values - values.min()) / spread if spread else np.zeros_like(values, float)


def _shades(scores: Sequence[float]) -> np.ndarray:
    from matplotlib import colormaps

    return colormaps[_SHADES](_unit(np.array(scores, float)))


def _is_numeric(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _word(value: Any) -> str:
    return "plain" if value is None else str(value)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
