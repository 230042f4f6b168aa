"""Ticks of logarithmic axes."""

import pytest
from matplotlib.figure import Figure

from gluon_attn.analyze.figures import label_logarithmic_axis, svg_text


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.003, 2, {"0.01", "0.1", "1"}),
        (20, 3000, {"100", "1000"}),
        (0.4, 2.5, {"0.4", "0.6", "1", "2"}),
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
    ticks = [*axes.yaxis.get_majorticklabels(), *axes.yaxis.get_minorticklabels()]
    texts = {label.get_text() for label in ticks} - {""}
    assert shown <= texts
    assert all("e" not in text and "$" not in text for text in texts)
