"""What pictures share: ticks in one form, legends that cover nothing."""

import re
from pathlib import Path

import pytest
from matplotlib.figure import Figure

import gluon_attn
from gluon_attn.analyze.figures import (
    integer_ticks,
    label_logarithmic_axis,
    label_percent_axis,
    legend_below,
    legend_under,
    svg_text,
)


def ticks(axis):
    """Texts of the ticks inside of the panel."""
    low, high = sorted(axis.get_view_interval())
    found = [*zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True),
             *zip(axis.get_minorticklocs(), axis.get_minorticklabels(), strict=True)]  # fmt: skip
    return {label.get_text() for place, label in found if low <= place <= high} - {""}


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.003, 2, {"0.01", "0.1", "1"}),
        (20, 3000, {"100", "1000"}),
        (0.4, 2.5, {"0.4", "0.6", "1.0", "2.0"}),
        (1.41, 1.87, {"1.5", "1.6", "1.8"}),
        (1e-7, 1e-4, {"0.000001", "0.00001", "0.0001"}),
    ],
)
def test_ticks_are_decimals(low, high, shown):
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1], [low, high])
    axes.set_yscale("log")
    label_logarithmic_axis(axes.yaxis)
    svg_text(figure)  # which makes the ticks
    texts = ticks(axes.yaxis)
    assert shown <= texts
    assert all("e" not in text and "$" not in text for text in texts)
    if high < 10 * low:
        assert len({len(text.partition(".")[2]) for text in texts}) == 1


@pytest.mark.parametrize(
    ("low", "high", "decimals"), [(0.1, 0.95, 0), (0.25, 0.5, 0), (0.951, 0.957, 1), (0.9712, 0.9716, 2)]
)
def test_ticks_in_per_cent_have_as_many_decimals(low, high, decimals):
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1], [low, high])
    label_percent_axis(axes.yaxis)
    svg_text(figure)
    found = ticks(axes.yaxis)
    assert len(found) > 3
    assert all(re.fullmatch(r"\d+([.]\d+)?%", text) for text in found)
    assert {len(text.partition(".")[2].rstrip("%")) for text in found} == {decimals}


@pytest.mark.parametrize(("first", "last"), [(0, 0), (7, 7), (0, 1), (3, 40)])
def test_ticks_of_epochs_are_integers(first, last):
    figure = Figure()
    axes = figure.subplots()
    axes.plot([first, last], [0, 1])
    integer_ticks(axes.xaxis)
    svg_text(figure)
    found = ticks(axes.xaxis)
    assert found
    assert all(re.fullmatch(r"\d+", text) for text in found)


@pytest.mark.parametrize("names", [["one"], [f"a longer name, number {number}" for number in range(9)]])
def test_a_legend_covers_no_panel(names):
    figure = Figure(figsize=(9, 4), layout="constrained")
    first, second = figure.subplots(1, 2)
    for name in names:
        first.plot([0, 1], [0, 1], label=name)
    second.plot([0, 1], [0, 1], label="on its own")
    legend_below(figure, first.lines, columns=3)
    legend_under(second)
    second.set_xlabel("share")
    figure.draw_without_rendering()
    boxes = [figure.legends[0].get_window_extent(), second.get_legend().get_window_extent()]
    for axes in (first, second):
        assert not any(box.overlaps(axes.get_window_extent()) for box in boxes)
        assert not any(box.overlaps(axes.xaxis.label.get_window_extent()) for box in boxes)


def test_no_picture_has_a_legend_among_its_points():
    """All of them come from here, or lie outside by their own word."""
    for path in Path(gluon_attn.__file__).parent.rglob("*.py"):
        if path.name != "figures.py":
            _, *calls = path.read_text(encoding="utf-8").split(".legend(")
            assert all("outside" in call[:160] for call in calls), path
