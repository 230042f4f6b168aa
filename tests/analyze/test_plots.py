"""Curves: they hold what they were given, and nothing of the machine that drew them."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from gluon_attn.analyze.plots import compare_histories, draw_history
from gluon_attn.utils.errors import UserError

NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def history(epochs, start=1.0):
    """Records as the trainer leaves them; the values fall and rise with the epochs."""
    return [
        {
            "epoch": epoch,
            "train_loss": start / (epoch + 1),
            "val_loss": 2 * start / (epoch + 1),
            "train_accuracy": 1 - start / (epoch + 2),
            "val_accuracy": 1 - start / (epoch + 3),
        }
        for epoch in range(epochs)
    ]


def pixels(path):
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def test_a_history_becomes_a_png(tmp_path):
    draw_history(history(4), tmp_path / "curves" / "history.png")
    drawn = pixels(tmp_path / "curves" / "history.png")
    assert drawn.shape[0] > 200
    assert drawn.shape[1] > 2 * drawn.shape[0]  # two panels side by side
    assert [path.name for path in (tmp_path / "curves").iterdir()] == ["history.png"]


@pytest.mark.parametrize("key", ["train_loss", "val_loss", "train_accuracy", "val_accuracy"])
def test_every_curve_is_drawn(tmp_path, key):
    changed = history(4)
    changed[2] = {**changed[2], key: changed[2][key] * 0.9}
    draw_history(history(4), tmp_path / "a.png")
    draw_history(changed, tmp_path / "b.png")
    assert (pixels(tmp_path / "a.png") != pixels(tmp_path / "b.png")).any()


def test_a_history_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write to"):
        draw_history(history(2), tmp_path / "file" / "history.png")


def test_a_comparison_is_one_svg_that_names_its_runs():
    text = compare_histories({"plain": history(3), "cha_atac": history(3, 0.5)})
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    for label in ("plain", "cha_atac", "training loss", "test accuracy", "epoch"):
        assert f"<!-- {label} -->" in text


def test_a_comparison_draws_every_run():
    one, two = compare_histories({"a": history(3)}), compare_histories({"a": history(3), "b": history(3, 0.5)})
    curves = [text.count("stroke-width: 1.8") for text in (one, two)]
    assert curves[1] - curves[0] == 3  # a curve in each panel, a line in the legend


def test_a_comparison_says_nothing_of_when_and_where(monkeypatch):
    histories = {"a": history(3), "b": history(3, 0.5)}
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    text = compare_histories(histories)
    assert text == compare_histories(histories)
    assert "metadata" not in text
    assert {part.split('"')[0] for part in text.split('="http')[1:]} == {name[4:] for name in NAMESPACES}


@pytest.mark.parametrize("records", [history(1), [*history(3)[:2], {**history(3)[2], "train_loss": 0.0}]])
def test_one_epoch_and_a_loss_of_zero_are_drawn(records):
    ET.fromstring(compare_histories({"a": records}))


def test_panels_show_what_they_are_asked_for_and_only_what_there_is():
    short = [{"epoch": 0, "lr": 0.1}]
    text = compare_histories({"a": history(3), "b": short}, {"rate": "lr", "test": "val_loss", "top-5": "val_top5"})
    assert "<!-- rate -->" in text
    assert "<!-- test -->" in text
    assert "<!-- top-5 -->" not in text
    assert "<!-- a -->" in text
    assert "<!-- b -->" in text


def test_an_epoch_without_a_value_is_a_gap():
    whole = compare_histories({"a": history(5)}, {"rate": "val_loss"})
    broken = history(5)
    del broken[2]["val_loss"]
    text = compare_histories({"a": broken}, {"rate": "val_loss"})
    assert whole.count("<use") == text.count("<use") + 1  # a marker less


def test_more_runs_than_colours_are_told_apart():
    text = compare_histories({f"run {number}": history(2, number + 1) for number in range(8)})
    assert text.count("stroke-dasharray: 6.66,2.88") == 3  # the eighth, in both panels and the legend
