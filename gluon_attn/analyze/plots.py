"""Pictures of numbers, with matplotlib."""

import io

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from ..utils.files import atomic_path


def draw_history(history, path):
    """Loss and accuracy over the epochs of a run, training against test, as a PNG at `path`.

    history: the records of `Trainer.history`.
    """
    figure, panels = _panels(("loss", "accuracy"))
    for what, axes in panels.items():
        for part, label in (("train", "training"), ("val", "test")):
            _line(axes, history, f"{part}_{what}", label)
        axes.legend()
    with atomic_path(path) as staged:
        FigureCanvasAgg(figure).print_png(str(staged))


def compare_histories(histories):
    """Training loss and test accuracy of several runs in one picture; returns SVG text.

    histories: name of a run -> the records of its `Trainer.history`.
    """
    figure, panels = _panels(("training loss", "test accuracy"))
    for name, history in histories.items():
        _line(panels["training loss"], history, "train_loss", name)
        _line(panels["test accuracy"], history, "val_accuracy", name)
    panels["training loss"].set_yscale("log")
    panels["test accuracy"].legend(loc="lower right")
    text = io.StringIO()
    FigureCanvasSVG(figure).print_svg(text)
    return text.getvalue().partition("<svg")[1] + text.getvalue().partition("<svg")[2]


def _panels(names):
    """(figure, {name: axes}) with one panel a name, side by side, over epochs."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    panels = dict(zip(names, figure.subplots(1, len(names)), strict=True))
    for name, axes in panels.items():
        axes.set(xlabel="epoch", ylabel=name)
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    return figure, panels


def _line(axes, history, key, label):
    axes.plot([record["epoch"] for record in history], [record[key] for record in history], marker=".", label=label)
