"""Pictures of numbers, with matplotlib."""

import io

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from ..utils.files import atomic_path

#: Okabe & Ito's palette, which colour-blind readers tell apart, without its yellow
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#000000")
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
    with atomic_path(path) as staged:
        FigureCanvasAgg(figure).print_png(str(staged))


def compare_histories(histories):
    """Training loss and test accuracy of several runs in one picture; returns SVG text, the same for the same numbers.

    histories: name of a run -> the records of its `Trainer.history`.
    """
    figure, panels = _panels(("training loss", "test accuracy"))
    for name, history in histories.items():
        _line(panels["training loss"], history, "train_loss", name)
        _line(panels["test accuracy"], history, "val_accuracy", name)
    panels["training loss"].set_yscale("log")
    panels["test accuracy"].legend(loc="lower right", frameon=False)
    text = io.StringIO()
    with rc_context({"svg.hashsalt": "gluon_attn"}):
        FigureCanvasSVG(figure).print_svg(text, metadata=_NO_METADATA)
    return "<svg" + text.getvalue().partition("<svg")[2]


def _panels(names):
    """(figure, {name: axes}) with one panel a name, side by side, over epochs."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    panels = dict(zip(names, figure.subplots(1, len(names)), strict=True))
    for name, axes in panels.items():
        axes.set(xlabel="epoch", ylabel=name)
        axes.set_prop_cycle(color=_COLOURS)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.xaxis.get_major_locator().set_params(integer=True)
    return figure, panels


def _line(axes, history, key, label):
    epochs, values = [record["epoch"] for record in history], [record[key] for record in history]
    axes.plot(epochs, values, marker="o", markersize=3.5, linewidth=1.8, label=label)
