"""Run folders side by side: names, scores, differences, and what is no run."""

import json

import pytest
from run_folders import run_folder

from gluon_attn.attention.factory import ATTENTIONS
from gluon_attn.config.card import Card
from gluon_attn.runs.run_history import best_run, by_data, differences, read_runs, scores
from gluon_attn.utils.errors import UserError


@pytest.fixture
def pair(tmp_path):
    """Two runs: the second has an attention, is longer, has top-5 accuracies and the better score."""
    plain = run_folder(tmp_path / "plain", [0.25, 0.5, 0.4])
    more = {"model": {"attention": "se"}, "optim": {"lr_decay_epoch": [1, 2]}}
    return [plain, run_folder(tmp_path / "se", [0.1, 0.2, 0.3, 0.75], more, val_top5=0.95, data_seconds=3.0)]


def rows(folders):
    header, cells = scores(read_runs(folders))
    return [dict(zip(header, row, strict=True)) for row in cells]


def test_scores_are_those_of_the_best_epoch(pair):
    plain, se = rows(pair)
    assert plain == {
        "run": "plain", "data set": "cifar10", "attention": "none", "epochs": 3, "best epoch": 1, "top-1": "50.00%",
        "top-5": "", "test loss": "2.0000", "training loss": "1.5000", "img/s": "101", "data wait": "",
        "minutes": "1.5",
    }  # fmt: skip
    assert (se["epochs"], se["best epoch"], se["top-5"]) == (4, 3, "95.00%")
    assert (se["data wait"], se["minutes"]) == ("10%", "2.0")
    assert best_run(read_runs(pair)) == 1
    assert best_run(read_runs(pair[::-1])) == 0


def test_columns_that_no_run_fills_are_left_out(pair):
    assert {"top-5", "data wait"}.isdisjoint(rows(pair[:1])[0])


def test_a_score_that_is_not_a_number_is_not_the_best(tmp_path):
    (row,) = rows([run_folder(tmp_path / "run", [float("nan"), 0.5, 0.25])])
    assert row["best epoch"] == 1


def test_only_options_that_differ_are_listed(pair):
    header, cells = differences(read_runs(pair))
    assert header == ["option", "plain", "se"]
    assert cells == [["model.attention", "-", "se"], ["optim.lr_decay_epoch", "100,150", "1,2"]]
    assert differences(read_runs(pair[:1]))[1] == []


def test_the_folder_is_no_difference_and_an_unknown_option_is_a_dash(tmp_path):
    old, new = (run_folder(tmp_path / name, [0.5], {"train": {"run_dir": name}}) for name in ("old", "new"))
    lines = (old / "config.yaml").read_text().splitlines(keepends=True)
    (old / "config.yaml").write_text("".join(line for line in lines if not line.startswith("  wd:")))
    assert differences(read_runs([old, new]))[1] == [["optim.wd", "-", "0.0001"]]


def test_runs_of_the_same_name_are_named_by_their_paths(tmp_path):
    folders = [run_folder(tmp_path / part / "run", [0.5]) for part in "ab"]
    assert [run.name for run in read_runs(folders)] == [str(folder) for folder in folders]
    assert len(read_runs([folders[0], folders[0]])) == 1


def test_epochs_with_missing_keys_are_read(tmp_path):
    folder = run_folder(tmp_path / "run", [0.5])
    (folder / "metrics.jsonl").write_text(json.dumps({"epoch": 0, "train_loss": 1.5}) + "\n")
    (row,) = rows([folder])
    assert (row["epochs"], row["best epoch"], row["training loss"]) == (1, 0, "1.5000")
    assert {"top-1", "test loss"}.isdisjoint(row)


PLAN = {"version": 1, "entries": [{"slot": "post", "name": "eca", "options": {}, "stages": None, "shared": False,
                                   "scheme": None}]}  # fmt: skip


def with_card(folder, model, options=None, **card):
    """A run of a model, with its card."""
    run_folder(folder, [0.5], {"model": {"model": model}})
    card = Card(model=model, classes=10, input_shape=(3, 32, 32), options=options or {}, **card)
    (folder / "card.json").write_text(json.dumps(card.to_dict()))
    return folder


def test_network_and_costs_are_those_of_the_card(tmp_path):
    plain, eca, named = rows([
        with_card(tmp_path / "plain", "cifar_resnet20_v1", plan={"version": 1, "entries": []}),
        with_card(tmp_path / "eca", "cifar_resnet20_v1", plan=PLAN),
        with_card(tmp_path / "named", "se_cifar_resnet20"),
    ])  # fmt: skip
    assert [row["attention"] for row in (plain, eca, named)] == ["none", "eca", "se"]
    assert [row["params (M)"] for row in (plain, eca)] == ["0.27", "0.27"]
    assert [row["MACs (M)"] for row in (plain, eca)] == ["40.81", "40.81"]
    assert [row["model"] for row in (plain, named)] == ["cifar_resnet20_v1", "se_cifar_resnet20"]
    assert "model" not in rows([tmp_path / "plain", tmp_path / "eca"])[0]


def test_a_network_that_cannot_be_built_here_has_no_costs(tmp_path, monkeypatch):
    """Of a plugin that is not loaded, or of another version: its other columns are there."""
    unknown = {**PLAN, "entries": [{**PLAN["entries"][0], "name": "of_a_plugin"}]}
    assert "of_a_plugin" not in ATTENTIONS
    folders = [with_card(tmp_path / "a", "cifar_resnet20_v1", plan=unknown), with_card(tmp_path / "b", "no_model"),
               with_card(tmp_path / "c", "cifar_resnet20_v1", {"no_option": 1})]  # fmt: skip
    (tmp_path / "d").mkdir()
    (run_folder(tmp_path / "d", [0.5]) / "card.json").write_text("[]")
    for row in rows([*folders, tmp_path / "d"]):
        assert "params (M)" not in row
        assert row["top-1"] == "50.00%"


def test_runs_are_comparable_on_the_same_test_images(tmp_path):
    options = {
        "digits": {"dataset": "digits"}, "again": {"dataset": "digits", "batch_size": 8},
        "held": {"dataset": "digits", "hold_out": 5}, "cifar": {"dataset": "cifar10", "data_dir": "here"},
        "cifar2": {"dataset": "cifar10", "data_dir": "there"},
        "photos": {"dataset": "imagenet_folder", "data_dir": "a/photos"},
        "other": {"dataset": "imagenet_folder", "data_dir": "b/photos"},
    }  # fmt: skip
    runs = read_runs([run_folder(tmp_path / name, [0.5], {"data": data}) for name, data in options.items()])
    named = [[run.name for run in group] for group in by_data(runs)]
    assert named == [["digits", "again"], ["held"], ["cifar", "cifar2"], ["photos"], ["other"]]
    header, cells = scores(runs)
    found = [row[header.index("data set")] for row in cells]
    assert found[:3] == ["digits", "digits", "digits (hold_out 5)"]
    assert found[3:] == ["cifar10", "cifar10", "imagenet_folder (photos)", "imagenet_folder (photos)"]


@pytest.mark.parametrize("text", ["", "{", "[1]\n", '{"epoch": "0"}\n', '{"train_loss": 1}\n'])
def test_damaged_metrics_are_one_line(tmp_path, text):
    folder = run_folder(tmp_path / "run", [0.5])
    (folder / "metrics.jsonl").write_text(text)
    with pytest.raises(UserError, match=r"metrics\.jsonl is damaged: every line must be"):
        read_runs([folder])


def test_what_is_no_run_is_one_line(tmp_path):
    with pytest.raises(UserError, match="is not a run folder: it has no config"):
        read_runs([tmp_path])
    (tmp_path / "config.yaml").write_text("model: resnet\n")
    with pytest.raises(UserError, match="more than groups of options"):
        read_runs([tmp_path])
    (tmp_path / "config.yaml").write_text("model: {}\n")
    with pytest.raises(UserError, match="the run has not finished an epoch"):
        read_runs([tmp_path])
