"""Pictures of a search: what is in them, and that they can be written."""

import numpy as np
import pytest
from matplotlib.patches import FancyBboxPatch

from gluon_attn.analyze import scheme_plots
from gluon_attn.analyze.figures import save_png, svg_text

SAMPLES = [{"step": i // 2, "reward": float(i), "baseline": i / 2} for i in range(6)]
BLOCKS = (2, 3)


def figures():
    return {
        "rewards": scheme_plots.rewards(SAMPLES),
        "chances": scheme_plots.connection_probabilities(np.linspace(0, 1, 20).reshape(4, 5), BLOCKS),
        "curves": scheme_plots.curves({"ean": [1, 2, 3], "random": [0, 2, 2]}),
        "network": scheme_plots.network("10000", BLOCKS, "sge"),
    }


@pytest.mark.parametrize("name", figures())
def test_it_can_be_written(name, tmp_path):
    save_png(figures()[name], tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    assert svg_text(figures()[name]) == svg_text(figures()[name])
    assert svg_text(figures()[name]).startswith("<svg")


def test_rewards_and_baseline():
    (dots, line) = figures()["rewards"].axes[0].lines
    assert dots.get_ydata().tolist() == [0, 1, 2, 3, 4, 5]
    assert line.get_ydata().tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
    assert len(scheme_plots.rewards([{"step": 0, "reward": 1.0}]).axes[0].lines) == 1


def test_a_row_a_block():
    axes = figures()["chances"].axes[0]
    assert axes.images[0].get_array().shape == (5, 4)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1.1", "1.2", "2.1", "2.2", "2.3"]


def test_a_curve_a_search():
    axes = figures()["curves"].axes[0]
    assert [line.get_label() for line in axes.lines] == ["ean", "random"]
    assert axes.lines[0].get_ydata().tolist() == [1, 2, 3]


def test_connections_of_the_network():
    """A line for each connected block; the attention of a stage without any is not there."""
    for scheme, lines, boxes in (("10000", 1, 6), ("01011", 3, 7), ("00000", 0, 5)):
        axes = scheme_plots.network(scheme, BLOCKS, "sge").axes[0]
        assert len(axes.lines) == lines
        assert sum(isinstance(patch, FancyBboxPatch) for patch in axes.patches) == boxes


@pytest.mark.parametrize("name", ["rewards", "curves"])
def test_legends_cover_no_points(name):
    figure = figures()[name]
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert not legend.get_window_extent().overlaps(figure.axes[0].get_window_extent())


def test_a_single_evaluation_is_seen():
    """A step from one point to itself has no length."""
    one, more = (scheme_plots.curves({"ean": values}).axes[0].lines[0] for values in ([1.0], [1.0, 2.0]))
    assert one.get_marker() == "D"
    assert more.get_marker() == "None"


def test_the_name_of_an_attention_fits_its_box():
    figure = scheme_plots.network("1", (1,), "ge_theta_minus_extent_8")
    figure.draw_without_rendering()
    axes = figure.axes[0]
    (box, *_), text = axes.patches, next(one for one in axes.texts if one.get_text().startswith("ge"))
    assert box.get_window_extent().width > text.get_window_extent().width
