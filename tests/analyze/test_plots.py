"""Curves: they hold what they were given, and nothing of the machine that drew them."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from gluon_attn.analyze.figures import COLOURS
from gluon_attn.analyze.plots import compare_histories, curve, draw_history, panels, same_epochs, set_scales
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


def test_a_comparison_is_a_picture_for_each_panel_with_one_legend():
    found = compare_histories({"plain": history(3), "cha_atac": history(3, 0.5)}, "Two runs")
    for text, heading in zip(found.svgs, ("training loss", "test accuracy"), strict=True):
        assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
        assert f"<!-- {heading} -->" in text
        assert "<!-- epoch -->" in text
    assert [name for _, name in found.legend] == ["plain", "cha_atac"]
    assert [colour in sign for (sign, _), colour in zip(found.legend, COLOURS, strict=False)] == [True, True]
    assert found.description == "Two runs"


def test_a_comparison_draws_every_run():
    for histories in ({"a": history(3)}, {"a": history(3), "b": history(3, 0.5)}):
        texts = compare_histories(histories, "").svgs
        assert [text.count("stroke-width: 1.8") for text in texts] == [len(histories)] * 2


def test_a_comparison_says_nothing_of_when_and_where(monkeypatch):
    histories = {"a": history(3), "b": history(3, 0.5)}
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    found = compare_histories(histories, "")
    assert found == compare_histories(histories, "")
    text = "".join(found.svgs)
    assert "metadata" not in text
    assert {part.split('"')[0] for part in text.split('="http')[1:]} == {name[4:] for name in NAMESPACES}


@pytest.mark.parametrize("records", [history(1), [*history(3)[:2], {**history(3)[2], "train_loss": 0.0}]])
def test_one_epoch_and_a_loss_of_zero_are_drawn(records):
    for text in compare_histories({"a": records}, "").svgs:
        ET.fromstring(text)


def points(text, colour):
    """Where the markers of a colour are in a picture."""
    found = re.findall(r'<use [^>]*x="([-0-9.]+)" y="([-0-9.]+)" style="fill: ' + colour, text)
    return [tuple(map(float, one)) for one in found]


def test_runs_with_a_single_epoch_lie_beside_each_other():
    """Each is seen, also where they have the same value, and beside runs with more epochs."""
    one = [{"epoch": 0, "lr": 0.1}]
    (text,) = compare_histories({"a": one, "b": one, "c": one}, "", {"rate": "lr"}).svgs
    places = [points(text, colour) for colour in COLOURS[:3]]
    assert [len(found) for found in places] == [1, 1, 1]
    across = [found[0][0] for found in places]
    assert np.diff(across).tolist() == pytest.approx([9, 9])
    assert len({found[0][1] for found in places}) == 1
    (text,) = compare_histories(
        {"a": one, "b": [{"epoch": epoch, "lr": 0.2} for epoch in range(9)]}, "", {"rate": "lr"}
    ).svgs
    assert points(text, COLOURS[0])[0][0] == points(text, COLOURS[1])[0][0]


def test_panels_have_the_same_epochs_and_the_losses_the_same_kind_of_scale():
    rows = [{"epoch": epoch, "train_loss": 2.0 - epoch / 10, "val_loss": 2.0 / 10**epoch} for epoch in range(5)]
    headings = {"training loss": "train_loss", "test loss": "val_loss"}

    def scales(records):
        found = {key: panels([key])[1][key] for key in headings.values()}
        for key, axes in found.items():
            curve(axes, records, key)
        set_scales(found)
        same_epochs(found.values(), [record["epoch"] for record in records])
        assert len({axes.get_xlim() for axes in found.values()}) == 1
        return [axes.get_yscale() for axes in found.values()]

    assert scales(rows) == ["log", "log"]
    assert scales([{**row, "val_loss": 1.5} for row in rows]) == ["linear", "linear"]
    assert scales(rows[:1]) == ["linear", "linear"]


def test_accuracies_are_in_per_cent():
    text = compare_histories({"a": history(3)}, "", {"test accuracy": "val_accuracy"}).svgs[0]
    assert "<!-- 70% -->" in text


def test_panels_show_what_they_are_asked_for_and_only_what_there_is():
    short = [{"epoch": 0, "lr": 0.1}]
    headings = {"rate": "lr", "test": "val_loss", "top-5": "val_top5"}
    found = compare_histories({"a": history(3), "b": short}, "", headings)
    assert len(found.svgs) == 2
    assert "<!-- rate -->" in found.svgs[0]
    assert "<!-- test -->" in found.svgs[1]
    assert [name for _, name in found.legend] == ["a", "b"]


def test_an_epoch_without_a_value_is_a_gap():
    (whole,) = compare_histories({"a": history(5)}, "", {"rate": "val_loss"}).svgs
    broken = history(5)
    del broken[2]["val_loss"]
    (text,) = compare_histories({"a": broken}, "", {"rate": "val_loss"}).svgs
    assert len(points(whole, COLOURS[0])) == len(points(text, COLOURS[0])) + 1  # a marker less


def test_more_runs_than_colours_are_told_apart():
    found = compare_histories({f"run {number}": history(2, number + 1) for number in range(8)}, "")
    assert [text.count("stroke-dasharray: 6.66,2.88") for text in found.svgs] == [1, 1]  # the eighth
    assert len({sign for sign, _ in found.legend}) == 8
