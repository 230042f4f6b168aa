"""Pictures of what a network makes of one image: its classes, Grad-CAM, its gates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..nn.recording import CHANNEL, SPATIAL
from .figures import legend_under
from .gate_statistics import Site

_WIDTH, _COLUMNS = 11, 6
_LEGEND = 6  # most lines that are all named


@dataclass(frozen=True)
class Look:
    """What a network makes of one image.

    Attributes:
        image: pixels as the network gets them, (H,W,3) uint8.
        classes: (name, probability) of the most probable classes.
        cam: Grad-CAM's map, (h,w) from 0 to 1; None where the network has no global pooling.
        cam_class: name of its class.
        gates: site and values (C,1,1), (groups,h,w) or (C,h,w) of each gate, in the order of the pass.
    """

    image: np.ndarray
    classes: Sequence[tuple[str, float]]
    cam: np.ndarray | None
    cam_class: str
    gates: Sequence[tuple[Site, np.ndarray]]


def draw_sheet(look: Look, title: str) -> Figure:
    """Draw the contact sheet of an image.

    The image, Grad-CAM and the classes; the map of each spatial gate over the image, mean over the channels where a
    gate has one factor per element; the factors of the channels by stage, largest first, mean over the pixels where a
    gate has one per element.

    Args:
        look: What the network makes of it.
        title: Heading.
    """
    maps = [(site, values.mean(0)) for site, values in look.gates if site.kind != CHANNEL]
    stages: dict[str, list[tuple[Site, np.ndarray]]] = {}
    for site, values in look.gates:
        if site.kind != SPATIAL:
            stages.setdefault(site.stage, []).append((site, values.mean((1, 2))))
    heights = [3.2, 0.5 + 2.1 * -(-len(maps) // _COLUMNS) if maps else 0, 0.5 + 3 * -(-len(stages) // 3)]
    heights = [heights[0], heights[1], heights[2] if stages else 0]
    figure = Figure(figsize=(_WIDTH, 0.5 + sum(heights)), dpi=100, layout="constrained")
    figure.suptitle(title, fontweight="bold")
    shown = [height for height in heights if height]
    parts = iter(figure.subfigures(len(shown), 1, height_ratios=shown, squeeze=False).flatten())
    _draw_top(next(parts), look)
    if maps:
        _draw_maps(next(parts), look.image, maps)
    if stages:
        _draw_channels(next(parts), stages)
    return figure


def draw_predictions(images: Sequence[np.ndarray], names: Sequence[str],
                     classes: Sequence[Sequence[tuple[str, float]]]) -> Figure:  # fmt: skip
    """Draw images, each with the bars of its most probable classes.

    Args:
        images: pixels, (H,W,3) uint8 each.
        names: of the images.
        classes: (name, probability) of the most probable classes of each.
    """
    height = 0.4 + max(1.4, 0.3 * max(map(len, classes)))
    figure = Figure(figsize=(8, height * len(images)), dpi=100, layout="constrained")
    grid = figure.subplots(len(images), 2, squeeze=False, width_ratios=(1, 2.6))
    for (left, right), image, name, best in zip(grid, images, names, classes, strict=True):
        _show(left, image)
        right.set_title(_short(name, 60), fontsize=9, loc="left")
        draw_classes(right, best)
    return figure


def draw_classes(axes: Axes, classes: Sequence[tuple[str, float]]) -> None:
    """Draw the probabilities of classes as bars, the first on top."""
    rows = range(len(classes))
    bars = axes.barh(rows, [probability for _, probability in classes], color="#0072b2", height=0.65)
    axes.bar_label(bars, [f"{probability:.1%}" for _, probability in classes], padding=3, fontsize=9)
    axes.set_yticks(rows, [_short(name, 28) for name, _ in classes])
    axes.set_ylim(max(len(classes), 3) - 0.5, -0.5)
    axes.set_xlim(0, 1.15)
    axes.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    axes.spines[["top", "right"]].set_visible(False)


def _draw_top(part: Any, look: Look) -> None:
    axes = part.subplots(1, 3, width_ratios=(1, 1, 1.6))
    _show(axes[0], look.image)
    axes[0].set_title("image, as the network gets it", fontsize=9)
    if look.cam is None:
        axes[1].axis("off")
        axes[1].text(0.5, 0.5, "no global pooling:\nno Grad-CAM", ha="center", va="center")
    else:
        _overlay(axes[1], look.image, look.cam, "inferno", 0, 1)
        axes[1].set_title(f"Grad-CAM for {_short(look.cam_class, 24)}", fontsize=9)
    axes[2].set_title("most probable classes", fontsize=9)
    draw_classes(axes[2], look.classes)


def _draw_maps(part: Any, image: np.ndarray, maps: Sequence[tuple[Site, np.ndarray]]) -> None:
    part.suptitle("Spatial gates, dark to bright from the lowest to the highest factor", fontsize=10)
    rows = -(-len(maps) // _COLUMNS)
    grid = part.subplots(rows, _COLUMNS, squeeze=False).flatten()
    for axes in grid[len(maps) :]:
        axes.axis("off")
    for axes, (site, values) in zip(grid, maps, strict=False):
        low, high = float(values.min()), float(values.max())
        _overlay(axes, image, values, "viridis", low, high)
        axes.set_title(f"{site.stage}\n{_short(site.name, 26)}\n{low:.3g} to {high:.3g}", fontsize=7.5)


def _draw_channels(part: Any, stages: dict[str, list[tuple[Site, np.ndarray]]]) -> None:
    part.suptitle("Factors of the channels, largest first", fontsize=10)
    rows, columns = -(-len(stages) // 3), min(3, len(stages))
    grid = part.subplots(rows, columns, squeeze=False, sharey=True).flatten()
    for axes in grid[len(stages) :]:
        axes.axis("off")
    for axes, (stage, lines) in zip(grid, stages.items(), strict=False):
        shades = colormaps["viridis"](np.linspace(0, 0.85, len(lines)))
        for number, ((site, values), shade) in enumerate(zip(lines, shades, strict=True)):
            named = len(lines) <= _LEGEND or number in (0, len(lines) - 1)
            share = (np.arange(len(values)) + 0.5) / len(values)
            marker = "o" if len(values) == 1 else None
            axes.plot(share, np.sort(values)[::-1], color=shade, linewidth=1.4, marker=marker,
                      label=_short(site.name, 30) if named else None)  # fmt: skip
        axes.set_title(stage, fontsize=9)
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"], fontsize=8)
        axes.set_xlabel("share of the channels", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        legend_under(axes, fontsize=7)


def _show(axes: Axes, image: np.ndarray) -> None:
    axes.imshow(image, interpolation="nearest")
    axes.axis("off")


def _overlay(axes: Axes, image: np.ndarray, values: np.ndarray, colours: str, low: float, high: float) -> None:
    """The map `values`, resized to the image, over the image in gray."""
    height, width = image.shape[:2]
    axes.imshow(image.mean(2), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    axes.imshow(values, cmap=colours, alpha=0.6, extent=extent, interpolation="bilinear", vmin=low, vmax=high)
    axes.axis("off")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"...{text[3 - most :]}"
