"""Pictures of comparisons: a single epoch is seen, names beside points cover nothing."""

import itertools
import re

import numpy as np
import pytest
from matplotlib.figure import Figure

from gluon_attn.analyze.comparison_plots import draw_pareto, draw_spread, frontier, place_labels


def history(epochs, start=0.5):
    return [{"epoch": epoch, "val_accuracy": start + 0.01 * epoch} for epoch in range(epochs)]


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_single_epoch_is_a_point(seeds):
    found = draw_spread({"se": [history(1)] * seeds}, {"test accuracy": "val_accuracy"}, "Curves")
    (svg,) = found.svgs
    assert len(re.findall(r"<use [^>]*fill: #0072b2", svg)) + svg.count("fill: #0072b2; stroke") > 0
    assert svg.count("<!-- 50% -->") == 1
    assert [name for _, name in found.legend] == ["se"]


def test_every_method_is_in_every_panel():
    histories = {"plain": [history(3), history(3, 0.4)], "se": [history(3, 0.6), history(3, 0.7)]}
    found = draw_spread(histories, {"test accuracy": "val_accuracy", "test loss": "val_loss"}, "Curves")
    assert len(found.svgs) == 1  # no record has a loss
    assert found.svgs[0].count("stroke-width: 1.8") == 2
    assert found.description == "Curves"


def test_a_panel_a_cost():
    points = {"plain": (1.0, 40.0), "se": (1.0, 40.8), "cbam": (1.4, 41.0)}
    svgs = draw_pareto(points, ("latency", "MACs"), {"plain": 0.5, "se": 0.51, "cbam": 0.49}, "accuracy, %")
    assert [cost in svg for svg in svgs for cost in ("<!-- latency -->", "<!-- MACs -->")] == [True, False, False, True]
    assert all(f"<!-- {name} -->" in svg for svg in svgs for name in points)
    assert frontier({name: (cost, 0.5) for name, (cost, _) in points.items()}) == ["plain"]


@pytest.mark.parametrize("spread", [0.0, 0.02, 1.0])
def test_names_beside_points_cover_nothing(spread):
    random = np.random.default_rng(3)
    points = {f"method {number}": tuple(spread * random.uniform(size=2)) for number in range(12)}
    figure = Figure(figsize=(4.8, 3.9), layout="constrained")
    axes = figure.subplots()
    for point in points.values():
        axes.plot(*point, "o", markersize=7)
    axes.margins(x=0.2, y=0.12)
    place_labels(axes, points)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == len(points)
    assert not [pair for pair in itertools.combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    centres = axes.transData.transform(list(points.values()))
    assert not [box for box in boxes for x, y in centres if box.contains(x, y)]
