"""How the choices of a search went over its epochs, as pictures."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..utils.files import atomic_path


def draw_mixing(history, choices, path):
    """The share of each choice over the epochs, mean over all edges, as a PNG at `path`: a panel a mixing weight.

    history: the records of a `SearchTrainer`. choices: mixing weight -> names of its choices, its last axis.
    """
    epochs = [record["epoch"] for record in history]
    columns = min(2, len(choices))
    rows = -(-len(choices) // columns)
    height = 1.2 + 0.28 * max(map(len, choices.values()))
    figure = Figure(figsize=(6 * columns, height * rows), dpi=110, layout="constrained")
    places = figure.subplots(rows, columns, squeeze=False).flatten()
    for free in places[len(choices) :]:
        free.remove()
    for axes, (name, names) in zip(places, choices.items(), strict=False):
        shades = axes.imshow(_shares(history, name), aspect="auto", cmap="viridis", vmin=0, interpolation="nearest",
                             extent=(epochs[0] - 0.5, epochs[-1] + 0.5, len(names) - 0.5, -0.5))  # fmt: skip
        axes.set(title=name.replace("_", ", "), xlabel="epoch")
        axes.set_yticks(range(len(names)), names)
        axes.xaxis.get_major_locator().set_params(integer=True)
        figure.colorbar(shades, ax=axes, label="mean share")
    with atomic_path(path) as staged:
        FigureCanvasAgg(figure).print_png(str(staged))


def _shares(history, name):
    """(choices, epochs): softmax of each row of the weights, mean over rows."""
    columns = []
    for record in history:
        weights = np.atleast_2d(np.array(record["mixing"][name]))
        powers = np.exp(weights - weights.max(-1, keepdims=True))
        columns.append((powers / powers.sum(-1, keepdims=True)).mean(0))
    return np.stack(columns, axis=1)
