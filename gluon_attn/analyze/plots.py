"""Pictures of numbers, with matplotlib."""

import io
import math

import numpy as np
from matplotlib import cycler, rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from ..utils.files import atomic_path

#: Okabe & Ito's palette, which colour-blind readers tell apart, without its yellow
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#000000")
_STYLES = cycler(linestyle=("-", "--", ":")) * cycler(color=COLOURS)
#: panels of a comparison: heading -> key of the records
_COMPARED = {"training loss": "train_loss", "test accuracy": "val_accuracy"}
_NAMED, _COUNTED = 30, 12  # classes
_WIDTH = 100  # characters that fit below the panels
_LOGARITHMIC = {"training loss", "test loss"}
#: what matplotlib would otherwise write into an SVG: the date, and its own address
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def draw_history(history, path):
    """Loss and accuracy over the epochs of a run, training against test, as a PNG at `path`.

    history: the records of `Trainer.history`.
    """
    figure, panels = _panels(("loss", "accuracy"))
    for what, axes in panels.items():
        for part, label in (("train", "training"), ("val", "test")):
            _line(axes, history, f"{part}_{what}", label)
        axes.legend(frameon=False)
    save_png(figure, path)


def compare_histories(histories, panels=None):
    """Curves of several runs in one picture; returns SVG text, the same for the same numbers.

    histories: name of a run -> the records of its `Trainer.history`. panels: heading -> key of the records (default:
    training loss and test accuracy); one that no record has is left out.
    """
    panels, keys = panels or _COMPARED, set().union(*(record for history in histories.values() for record in history))
    panels = {heading: key for heading, key in panels.items() if key in keys} or panels
    figure, axes = _panels(panels)
    for name, history in histories.items():
        for heading, key in panels.items():
            _line(axes[heading], history, key, name)
    for heading in panels:
        if heading in _LOGARITHMIC:
            axes[heading].set_yscale("log")
            axes[heading].yaxis.set_major_formatter(LogFormatter())
            axes[heading].yaxis.set_minor_formatter(LogFormatter())
    handles, columns = axes[next(iter(panels))].lines, _WIDTH // (max(map(len, histories)) + 8)
    figure.legend(handles=handles, loc="outside lower center", ncols=max(1, min(columns, len(handles))), frameon=False)
    return svg_text(figure)


def draw_confusion(confusion, names, path):
    """Which classes are taken for which, as a PNG at `path`: a row a class, shares of its images as shades.

    confusion: counts (classes, classes) as in `deploy.score.Score`. Names are written for up to 30 classes, counts for
    up to 12.
    """
    classes = len(names)
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(7, 6), dpi=max(120, classes / 4), layout="constrained")
    axes = figure.subplots()
    shades = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xlabel="taken for", ylabel="class")
    figure.colorbar(shades, label="share of the class")
    if classes <= _NAMED:
        axes.set_xticks(range(classes), names, rotation=90)
        axes.set_yticks(range(classes), names)
    if classes <= _COUNTED:
        for (row, column), count in np.ndenumerate(confusion):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count) if count else "", ha="center", va="center", color=colour)
    save_png(figure, path)


def save_png(figure, path):
    """Write a matplotlib figure to `path`, whole or not at all."""
    with atomic_path(path) as staged:
        FigureCanvasAgg(figure).print_png(str(staged))


def svg_text(figure):
    """A matplotlib figure as SVG text for a page, the same for the same figure."""
    text = io.StringIO()
    with rc_context({"svg.hashsalt": "gluon_attn"}):
        FigureCanvasSVG(figure).print_svg(text, metadata=_NO_METADATA)
    return "<svg" + text.getvalue().partition("<svg")[2]


def _panels(names):
    """(figure, {name: axes}) with one panel a name, two side by side, over epochs."""
    rows = math.ceil(len(names) / 2)
    figure = Figure(figsize=(9, 3.4 * rows), layout="constrained")
    places = figure.subplots(rows, 2, squeeze=False).flatten()
    for free in places[len(names) :]:
        free.remove()
    panels = dict(zip(names, places, strict=False))
    for name, axes in panels.items():
        axes.set(xlabel="epoch", ylabel=name)
        axes.set_prop_cycle(_STYLES)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.xaxis.get_major_locator().set_params(integer=True)
    return figure, panels


def _line(axes, history, key, label):
    epochs, values = [record["epoch"] for record in history], [record.get(key, math.nan) for record in history]
    axes.plot(epochs, values, marker="o", markersize=3.5, linewidth=1.8, label=label)
