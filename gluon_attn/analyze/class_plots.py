"""Pictures of how gates depend on the class, as in the papers of SE, ECA and ATAC."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..nn.recording import CHANNEL, KINDS, SPATIAL
from .figures import COLOURS
from .gate_statistics import SiteStatistics

_PANELS = 18  # most sites that are drawn; of more the first and the last of each stage


def draw_class_gates(found: Sequence[SiteStatistics], class_names: Sequence[str], chosen: Sequence[int]) -> Figure:
    """Draw the mean factor of each channel for some classes and for all images: figure 6 of the SE paper.

    Args:
        found: Statistics of the gates; spatial ones are left out.
        class_names: Name of each class.
        chosen: Classes to draw, up to 6.
    """
    sites = spread([one for one in found if one.site.kind != SPATIAL])
    figure, grid = _grid(len(sites), 3, 2.5)
    for axes, one in zip(grid, sites, strict=False):
        for label, colour in zip(chosen, COLOURS, strict=False):
            axes.plot(one.channels.of_class(label)[0], color=colour, linewidth=0.9, alpha=0.85)
        axes.plot(one.channels.mean, color="#000000", linewidth=1.3, linestyle=":")
        axes.set_title(one.site.title, fontsize=8.5)
        axes.set_xlabel("channel", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(grid[0].lines, [*(class_names[label] for label in chosen), "all images"],
                  loc="outside lower center", ncols=7, frameon=False)  # fmt: skip
    return figure


def draw_class_share(found: Sequence[SiteStatistics]) -> Figure:
    """Draw, for each gate in the order of the pass, the share of its variance that the class explains."""
    figure = Figure(figsize=(9, max(2.4, 0.9 + 0.22 * len(found))), layout="constrained")
    axes = figure.subplots()
    for kind, colour in zip(KINDS, COLOURS, strict=False):
        rows = [row for row, one in enumerate(found) if one.site.kind == kind]
        if rows:
            axes.barh(rows, [100 * (found[row].whole.class_share() or 0) for row in rows], color=colour, label=kind)
    axes.set_yticks(range(len(found)), [one.site.title for one in found], fontsize=8)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of the variance between images that the class explains, %")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.25)
    figure.legend(loc="outside upper right", ncols=3, frameon=False, title="gates by kind")
    return figure


def draw_class_maps(found: Sequence[SiteStatistics], class_names: Sequence[str], chosen: Sequence[int]) -> Figure:
    """Draw the mean map of each spatial gate for some classes and for all images, a row of one scale per gate.

    Args:
        found: Statistics of the gates; those of channels alone are left out.
        class_names: Name of each class.
        chosen: Classes to draw.
    """
    sites = spread([one for one in found if one.site.kind != CHANNEL])
    columns = len(chosen) + 1
    figure = Figure(figsize=(1.9 + 1.15 * columns, 0.4 + 1.2 * len(sites)), dpi=100, layout="constrained")
    grid = figure.subplots(len(sites), columns, squeeze=False)
    for row, one in zip(grid, sites, strict=True):
        maps = [one.pixels.mean, *(one.pixels.of_class(label)[0] for label in chosen)]
        low, high = min(map(np.min, maps)), max(map(np.max, maps))
        for axes, values in zip(row, maps, strict=True):
            shown = axes.imshow(values.reshape(one.size), cmap="viridis", vmin=low, vmax=high, interpolation="nearest")
            axes.set_xticks([])
            axes.set_yticks([])
        row[0].set_ylabel(one.site.title.replace(", ", "\n", 1), fontsize=7.5, rotation=0, ha="right", va="center")
        figure.colorbar(shown, ax=list(row), pad=0.01, shrink=0.85).ax.tick_params(labelsize=7)
    for axes, name in zip(grid[0], ["all images", *(class_names[label] for label in chosen)], strict=True):
        axes.set_title(name, fontsize=8.5)
    return figure


def spread(found: Sequence[SiteStatistics]) -> list[SiteStatistics]:
    """The sites to draw: all where they are few, else the first and the last of each stage and kind."""
    if len(found) <= _PANELS:
        return list(found)
    groups: dict[tuple[str, str], list[SiteStatistics]] = {}
    for one in found:
        groups.setdefault((one.site.stage, one.site.kind), []).append(one)
    kept = {id(one) for group in groups.values() for one in (group[0], group[-1])}
    return [one for one in found if id(one) in kept]


def _grid(count: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(11, 0.6 + height * rows), dpi=100, layout="constrained")
    grid = list(figure.subplots(rows, columns, squeeze=False).flatten())
    for axes in grid[count:]:
        axes.remove()
    return figure, grid[:count]
