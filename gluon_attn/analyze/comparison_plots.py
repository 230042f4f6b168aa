"""Pictures of a comparison of methods over several seeds, as SVG text for a page."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figures import svg_text
from .page import Panels
from .paired import Difference
from .plots import curve, legend, method_styles, panels, same_epochs, set_scales

Record = Mapping[str, Any]


def draw_spread(
    histories: Mapping[str, Sequence[Sequence[Record]]], headings: Mapping[str, str], description: str
) -> Panels:
    """Draw the mean over the seeds of each method, epoch by epoch, with a band of one standard deviation.

    Args:
        histories: name of each method -> the records of each of its runs.
        headings: heading of each panel -> key of the records; panels whose key no record has are left out.
        description: what the pictures show, for those who cannot see them.
    """
    keys: set[str] = set().union(*(record for runs in histories.values() for run in runs for record in run))
    headings = {heading: key for heading, key in headings.items() if key in keys} or headings
    drawn = {heading: panels([heading]) for heading in headings}
    for style, runs in zip(method_styles(), histories.values(), strict=False):
        for heading, key in headings.items():
            _draw_mean(drawn[heading][1][heading], runs, key, style)
    found = {key: drawn[heading][1][heading] for heading, key in headings.items()}
    set_scales(found)
    epochs = [record["epoch"] for runs in histories.values() for run in runs for record in run]
    same_epochs(found.values(), epochs)
    return Panels([svg_text(figure) for figure, _ in drawn.values()], description, legend(histories))


def _draw_mean(axes: Axes, runs: Sequence[Sequence[Record]], key: str, style: Mapping[str, Any]) -> None:
    """The curve of a method, with its band."""
    epochs = min(map(len, runs))
    values = np.array([[_number(record.get(key)) for record in run[:epochs]] for run in runs])
    known = np.isfinite(values).any(0)  # detectors are not evaluated after every epoch
    numbers, values = np.array([record["epoch"] for record in runs[0][:epochs]])[known], values[:, known]
    mean = values.mean(0)
    curve(axes, [{"epoch": epoch, key: value} for epoch, value in zip(numbers, mean, strict=True)], key, **style)
    if len(runs) > 1:
        spread, color = values.std(0, ddof=1), style["color"]
        if len(numbers) == 1:
            axes.errorbar(numbers, mean, spread, color=color, linewidth=1.2, capsize=4)
        axes.fill_between(numbers, mean - spread, mean + spread, color=color, alpha=0.12, lw=0)


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)


def draw_differences(differences: Mapping[str, Difference], unit: str) -> str:
    """Draw each method's difference from the baseline with its 95 % interval, filled where it is told apart.

    Args:
        differences: of each method.
        unit: heading of the axis.
    """
    figure = Figure(figsize=(9, 1.1 + 0.36 * len(differences)), layout="constrained")
    axes = figure.subplots()
    for row, one in enumerate(differences.values()):
        low, high = (one.mean if end is None else end for end in (one.low, one.high))
        axes.plot([100 * low, 100 * high], [row, row], color="#0072b2", linewidth=1.8)
        face = "#0072b2" if one.is_told_apart else "none"
        axes.plot(100 * one.mean, row, "o", color="#0072b2", markerfacecolor=face, markersize=7)
    axes.axvline(0, color="#000000", linewidth=1, linestyle=":")
    axes.set_yticks(range(len(differences)), differences)
    axes.set_ylim(len(differences) - 0.5, -0.5)
    axes.set_xlabel(unit)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.25)
    return svg_text(figure)


def draw_pareto(points: Mapping[str, Sequence[float]], costs: Sequence[str], scores: Mapping[str, float],
                score_name: str) -> list[str]:  # fmt: skip
    """Draw the score of each method over several costs; a line joins those that none beats in both.

    Args:
        points: costs of each method.
        costs: what each cost is, the heading of its panel.
        scores: of each method.
        score_name: heading of the other axis.

    Returns:
        SVG text of a panel for each cost.
    """
    return [
        svg_text(_pareto({name: (one[i], 100 * scores[name]) for name, one in points.items()}, (cost, score_name)))
        for i, cost in enumerate(costs)
    ]


def _pareto(points: Mapping[str, tuple[float, float]], headings: tuple[str, str]) -> Figure:
    """The panel of one cost; `points` are (cost, score)."""
    figure = Figure(figsize=(4.8, 3.9), layout="constrained")
    axes = figure.subplots()
    for style, point in zip(method_styles(), points.values(), strict=False):
        axes.plot(*point, "o", color=style["color"], markersize=7)
    best = [points[name] for name in frontier(points)]
    axes.step(*zip(*best, strict=True), where="post", color="#000000", linewidth=1, linestyle="--", alpha=0.6)
    axes.set(xlabel=headings[0], ylabel=headings[1])
    axes.ticklabel_format(useOffset=False)
    axes.margins(x=0.2, y=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    place_labels(axes, points)
    return figure


def place_labels(axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Write the name of each point beside it, where it covers no other name and no point.

    Args:
        axes: of the points, complete but for the names.
        points: of each name, in the data's units.
    """
    figure = cast(Figure, axes.get_figure(root=True))
    figure.draw_without_rendering()
    centres = axes.transData.transform(list(points.values()))
    size = 6 * figure.dpi / 72  # half a point's, with what is to stay free
    taken = [(x - size, y - size, x + size, y + size) for x, y in centres]
    for (x, y), name in sorted(zip(centres, points, strict=True), key=lambda one: tuple(one[0])):
        text = axes.annotate(name, points[name], xytext=(0, 0), textcoords="offset points", fontsize=8)
        box = text.get_window_extent()
        offsets = [(dx, dy) for dy in _heights(box.height + 1) for dx in (size, -size - box.width)]
        boxes = [(x + dx, y + dy, x + dx + box.width, y + dy + box.height) for dx, dy in offsets]
        free = next((i for i, one in enumerate(boxes) if not any(_overlap(one, other) for other in taken)), 0)
        text.set_position((offsets[free][0] * 72 / figure.dpi, offsets[free][1] * 72 / figure.dpi))
        taken.append(boxes[free])


def _heights(height: float) -> list[float]:
    """How far below a point its name may begin, the nearest first."""
    steps = sorted(range(-20, 21), key=abs)
    return [-height / 2 + step * height / 2 for step in steps]


def _overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def frontier(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """Names of the methods that no other beats in cost and score together, the cheapest first.

    Args:
        points: name -> (cost, score).
    """
    kept: list[str] = []
    for name, (_, score) in sorted(points.items(), key=lambda item: (item[1][0], -item[1][1])):
        if not kept or score > points[kept[-1]][1]:
            kept.append(name)
    return kept
