"""Pictures of a search for a connection scheme, as matplotlib figures for `plots.save_png` and `plots.svg_text`."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from .plots import COLOURS

_WIDTH = 9  # inches
_BLUE, _ORANGE, _GREEN, _GREY = COLOURS[0], COLOURS[1], COLOURS[2], "#9aa4b0"


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
    axes.set_yticks(range(sum(blocks)), [f"{stage + 1}.{block + 1}" for stage, block in _places(blocks)])
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
    widest, height = max(blocks), 1.7
    figure = Figure(figsize=(_WIDTH, 1.15 * len(blocks) * height), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(-0.9, widest - 0.3), ylim=(-len(blocks) * height + 0.5, 1.15))
    axes.set_axis_off()
    for (stage, block), bit in zip(_places(blocks), bits, strict=True):
        y, middle = -stage * height, (blocks[stage] - 1) / 2
        if block == 0:
            axes.text(-0.85, y, f"stage {stage + 1}", va="center")
            _box(axes, middle, y + 0.8, attention, _ORANGE)
        else:
            axes.annotate("", (block - 0.32, y), (block - 0.68, y), arrowprops={"arrowstyle": "->", "color": _GREY})
        _box(axes, block, y, f"block {block + 1}", _BLUE if bit == "1" else _GREY)
        if bit == "1":
            axes.plot([middle, block], [y + 0.58, y + 0.22], color=_ORANGE, linewidth=1.8, zorder=0)
    return figure


def _box(axes, x, y, text, colour):
    shape = FancyBboxPatch((x - 0.28, y - 0.18), 0.56, 0.36, boxstyle="round,pad=0.03", edgecolor=colour,
                           facecolor=colour, alpha=0.25)  # fmt: skip
    axes.add_patch(shape)
    axes.text(x, y, text, ha="center", va="center", fontsize=10)


def _places(blocks):
    """(stage, block) of every block, from 0."""
    return [(stage, block) for stage, count in enumerate(blocks) for block in range(count)]


def _frame(xlabel, ylabel, height=3.6):
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.xaxis.get_major_locator().set_params(integer=True)
    return figure, axes
