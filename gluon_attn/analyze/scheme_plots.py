"""Pictures of a search for a connection scheme: figures for `figures.save_png` and `figures.svg_text`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from numpy.typing import ArrayLike

from ..models.scheme import by_stage
from .figures import COLOURS, integer_ticks, legend_below

_WIDTH = 9  # inches
_BLUE, _ORANGE, _GREY = COLOURS[0], COLOURS[1], "#9aa4b0"


def rewards(samples: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw the reward of every sample over the steps, with the baseline where the records have it.

    Args:
        samples: Records of a search: step, reward and perhaps baseline.
    """
    figure, axes = _frame("step", "reward")
    steps = [record["step"] for record in samples]
    axes.plot(steps, [record["reward"] for record in samples], ".", color=_BLUE, alpha=0.45, label="reward")
    if "baseline" in samples[0]:
        axes.plot(steps, [record["baseline"] for record in samples], color=_ORANGE, linewidth=2, label="baseline")
    legend_below(figure)
    return figure


def connection_probabilities(probabilities: ArrayLike, blocks: Sequence[int]) -> Figure:
    """The probability that each block is connected over the steps, a row for each block, with lines between stages.

    Args:
        probabilities: (steps,blocks) of the controller.
        blocks: Number of blocks in each stage.
    """
    values = np.asarray(probabilities)
    figure, axes = _frame("step", "block", height=1.2 + 0.22 * values.shape[1])
    shades = axes.imshow(values.T, aspect="auto", cmap="RdBu", vmin=0, vmax=1, interpolation="nearest")
    axes.grid(visible=False)
    names = [f"{stage + 1}.{block + 1}" for stage, count in enumerate(blocks) for block in range(count)]
    axes.set_yticks(range(len(names)), names)
    for end in np.cumsum(blocks)[:-1]:
        axes.axhline(end - 0.5, color="black", linewidth=1)
    figure.colorbar(shades, label="probability of a connection")
    return figure


def curves(found: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the best reward so far after each evaluation.

    Args:
        found: Name of each search -> its curve.
    """
    figure, axes = _frame("schemes evaluated", "best reward so far")
    for (name, curve), colour in zip(found.items(), COLOURS, strict=False):
        marker = "D" if len(curve) == 1 else None
        axes.step(range(1, len(curve) + 1), curve, where="post", marker=marker, color=colour, linewidth=1.8, label=name)
    legend_below(figure)
    return figure


def network(bits: str, blocks: Sequence[int], attention: str) -> Figure:
    """The blocks of a network, a row for each stage, above it the stage's attention with lines to the connected blocks.

    Args:
        bits: "0" or "1" for each block.
        blocks: Number of blocks in each stage.
        attention: Its name.
    """
    height, figure = 1.7, Figure(figsize=(max(_WIDTH, 1.4 * max(blocks)), 1.9 * len(blocks)), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(-0.9, max(blocks) - 0.6), ylim=(-len(blocks) * height + 1.3, 1.1))
    axes.set_axis_off()
    for stage, (count, part) in enumerate(zip(blocks, by_stage(bits, blocks), strict=True)):
        y, middle = -stage * height, (count - 1) / 2
        axes.text(-0.85, y, f"stage {stage + 1}", va="center")
        if "1" in part:
            _box(axes, middle, y + 0.8, attention, _ORANGE)
        for block, bit in enumerate(part):
            _box(axes, block, y, f"block {block + 1}", _BLUE if bit == "1" else _GREY)
            if block:
                axes.annotate("", (block - 0.32, y), (block - 0.68, y), arrowprops={"arrowstyle": "->", "color": _GREY})
            if bit == "1":
                axes.plot([middle, block], [y + 0.58, y + 0.22], color=_ORANGE, linewidth=1.8, zorder=0)
    return figure


def _box(axes: Axes, x: float, y: float, text: str, colour: str) -> None:
    width = max(0.56, 0.065 * len(text))
    shape = FancyBboxPatch((x - width / 2, y - 0.18), width, 0.36, boxstyle="round,pad=0.03", edgecolor=colour,
                           facecolor=colour, alpha=0.25)  # fmt: skip
    axes.add_patch(shape)
    axes.text(x, y, text, ha="center", va="center", fontsize=10)


def _frame(xlabel: str, ylabel: str, height: float = 3.6) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    integer_ticks(axes.xaxis)
    return figure, axes
