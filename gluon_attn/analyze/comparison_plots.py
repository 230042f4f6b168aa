"""Pictures of a comparison of methods over several seeds, as SVG text for a page."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from .figures import svg_text
from .paired import Difference
from .plots import method_styles, panels

Record = Mapping[str, Any]


def draw_spread(histories: Mapping[str, Sequence[Sequence[Record]]], headings: Mapping[str, str]) -> str:
    """Draw the mean over the seeds of each method, epoch by epoch, with a band of one standard deviation.

    Args:
        histories: name of each method -> the records of each of its runs.
        headings: heading of each panel -> key of the records; panels whose key no record has are left out.

    Returns:
        SVG text.
    """
    keys: set[str] = set().union(*(record for runs in histories.values() for run in runs for record in run))
    headings = {heading: key for heading, key in headings.items() if key in keys} or headings
    figure, axes = panels(headings)
    for style, (name, runs) in zip(method_styles(), histories.items(), strict=False):
        for heading, key in headings.items():
            epochs = min(map(len, runs))
            values = np.array([[_number(record.get(key)) for record in run[:epochs]] for run in runs])
            known = np.isfinite(values).any(0)  # detectors are not evaluated after every epoch
            numbers, values = np.array([record["epoch"] for record in runs[0][:epochs]])[known], values[:, known]
            mean = values.mean(0)
            axes[heading].plot(numbers, mean, label=name, linewidth=1.8, **style)
            if len(runs) > 1:
                spread = values.std(0, ddof=1)
                axes[heading].fill_between(
                    numbers, mean - spread, mean + spread, color=style["color"], alpha=0.12, lw=0
                )
    handles = axes[next(iter(headings))].lines
    figure.legend(handles=handles, loc="outside lower center", ncols=min(6, len(handles)), frameon=False)
    return svg_text(figure)


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
                score_name: str) -> str:  # fmt: skip
    """Draw the score of each method over several costs; a line joins those that none beats in both.

    Args:
        points: costs of each method.
        costs: what each cost is, the heading of its panel.
        scores: of each method.
        score_name: heading of the other axis.
    """
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    for number, (axes, cost) in enumerate(zip(np.atleast_1d(figure.subplots(1, len(costs), sharey=True)), costs,
                                              strict=True)):  # fmt: skip
        for style, (name, values) in zip(method_styles(), points.items(), strict=False):
            axes.plot(values[number], 100 * scores[name], "o", color=style["color"], markersize=7)
            axes.annotate(name, (values[number], 100 * scores[name]), xytext=(5, 4), textcoords="offset points",
                          fontsize=8)  # fmt: skip
        best = frontier({name: (values[number], scores[name]) for name, values in points.items()})
        axes.step([points[name][number] for name in best], [100 * scores[name] for name in best], where="post",
                  color="#000000", linewidth=1, linestyle="--", alpha=0.6)  # fmt: skip
        axes.set_xlabel(cost)
        axes.ticklabel_format(axis="x", useOffset=False)
        axes.margins(x=0.18, y=0.1)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        if not number:
            axes.set_ylabel(score_name)
    return svg_text(figure)


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
