"""Bars of numbers, with matplotlib."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..utils.files import atomic_path


def draw_bars(labels, series, values, unit, path):
    """Horizontal bars as a PNG at `path`: a group a label, in it a bar of each series' colour.

    labels, series, values: as many of each; the same label with another series is another bar of its group.
    """
    groups, kinds = list(dict.fromkeys(labels)), list(dict.fromkeys(series))
    thickness = 0.8 / len(kinds)
    figure = Figure(figsize=(9, 1.2 + 0.3 * len(groups) * len(kinds)), dpi=120, layout="constrained")
    axes = figure.subplots()
    for number, kind in enumerate(kinds):
        chosen = [
            (groups.index(label), value)
            for label, one, value in zip(labels, series, values, strict=True)
            if one == kind
        ]
        places = [place + (number - (len(kinds) - 1) / 2) * thickness for place, _ in chosen]
        bars = axes.barh(places, [value for _, value in chosen], thickness, label=kind)
        axes.bar_label(bars, fmt="%.1f", padding=3)
    axes.set_yticks(range(len(groups)), groups)
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.1)
    axes.legend(frameon=False)
    with atomic_path(path) as staged:
        FigureCanvasAgg(figure).print_png(str(staged))
