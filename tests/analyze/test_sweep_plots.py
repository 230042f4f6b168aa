"""Pictures of sweeps: ticks are decimals on logarithmic axes, too; legends cover nothing."""

from gluon_attn.analyze.sweep_plots import draw_pair, draw_progress

ROWS = [{"lr": 10.0**-number, "wd": 10.0 ** (number - 6), "attention": "se"} for number in range(1, 5)]


def test_ticks_of_a_logarithmic_option_are_decimals():
    text = draw_pair(ROWS, [0.5, 0.6, 0.7, 0.8], ("lr", "attention"), "accuracy")
    assert "mathdefault" not in text
    assert "<!-- 0.01 -->" in text
    text = draw_pair(ROWS, [0.5, 0.6, 0.7, 0.8], ("attention", "wd"), "accuracy")
    assert "mathdefault" not in text
    assert "<!-- 0.0001 -->" in text


def test_runs_are_integers_be_it_one():
    for scores in ([0.5], [0.5, None, 0.7]):
        text = draw_progress(scores, True, "accuracy")
        assert "<!-- 0 -->" in text
        assert "<!-- 0.5 -->" not in text.partition("matplotlib.axis_2")[0]
