"""Pictures of a search for a connection scheme, as matplotlib figures for `plots.save_png` and `plots.svg_text`."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from ..models.scheme import by_stage
from .plots import COLOURS

_WIDTH = 9  # inches
_BLUE, _ORANGE, _GREY = COLOURS[0], COLOURS[1], "#9aa4b0"


def rewards(samples):
    """Reward of every sample over the steps, with bonus and baseline where the records have them."""
    figure, axes = _frame("step", "reward")
    steps = [record["step"] for record in samples]
    axes.plot(steps, [record["reward"] for record in samples], ".", color=_BLUE, alpha=0.45, label="reward")
    if "baseline" in samples[0]:
        axes.plot(steps, [record["baseline"] for record in samples], color=_ORANGE, linewidth=2, label="baseline")
    axes.legend(frameon=False, loc="lower right")
    return figure


def chances(course, blocks):
    """Chance of each block to be connected, a row a block, over the steps; lines part the stages.

    course: steps, blocks. blocks: how many in each stage.
    """
    course = np.asarray(course)
    figure, axes = _frame("step", "block", height=1.2 + 0.22 * course.shape[1])
    shades = axes.imshow(course.T, aspect="auto", cmap="RdBu", vmin=0, vmax=1, interpolation="nearest")
    axes.grid(visible=False)
    names = [f"{stage + 1}.{block + 1}" for stage, count in enumerate(blocks) for block in range(count)]
    axes.set_yticks(range(len(names)), names)
    for end in np.cumsum(blocks)[:-1]:
        axes.axhline(end - 0.5, color="black", linewidth=1)
    figure.colorbar(shades, label="chance to be connected")
    return figure


def curves(found):
    """The best reward so far after each evaluation; found: name of a search -> its curve."""
    figure, axes = _frame("schemes tried", "best reward so far")
    for (name, curve), colour in zip(found.items(), COLOURS, strict=False):
        axes.step(range(1, len(curve) + 1), curve, where="post", color=colour, linewidth=1.8, label=name)
    axes.legend(frameon=False, loc="lower right")
    return figure


def network(bits, blocks, attention):
    """The blocks of a network, a row a stage, and above each row its attention with lines to the connected blocks.

    bits: a 0 or 1 for each block. attention: its name.
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


def _box(axes, x, y, text, colour):
    shape = FancyBboxPatch((x - 0.28, y - 0.18), 0.56, 0.36, boxstyle="round,pad=0.03", edgecolor=colour,
                           facecolor=colour, alpha=0.25)  # fmt: skip
    axes.add_patch(shape)
    axes.text(x, y, text, ha="center", va="center", fontsize=10)


def _frame(xlabel, ylabel, height=3.6):
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.xaxis.get_major_locator().set_params(integer=True)
    return figure, axes
