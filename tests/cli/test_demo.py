"""`gluon-attn demo` with one epoch of a few images; whole, with the accuracy that it promises, among the slow tests."""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gluon_attn.cli import main
from gluon_attn.data import digits
from gluon_attn.runs.demo import ATTENTIONS, HEADER

ROOT = Path(__file__).resolve().parents[2]
NAMES = [attention or "plain" for attention in ATTENTIONS]
PARAMS = {"plain": "272,474", "se": "274,847", "eca": "272,501", "cha_atac": "289,610"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """(what the demo printed as `stdout`, its folder) after an epoch of 256 images, all test images as ever."""
    folder, split, said = tmp_path_factory.mktemp("demo"), digits.split, io.StringIO()

    def few(labels):
        train, test = split(labels)
        return train[:256], test

    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.chdir(folder)
        patch.setattr(digits, "split", few)
        assert main(["demo", "--num-epochs", "1"]) == 0
    return SimpleNamespace(stdout=said.getvalue()), folder / "runs" / "demo"


def table(text):
    """The rows of the printed table, split into cells."""
    lines = text.split("\n\n")[1].splitlines()
    return [re.split(r"\s{2,}", line.strip()) for line in lines]


def best(folder):
    rows = json.loads((folder / "results.json").read_text())
    return min(rows, key=lambda row: (-row["accuracy"], row["macs"]))["name"]


def test_the_table_has_a_row_for_each_network(demo):
    header, *rows = table(demo[0].stdout)
    assert header == list(HEADER)
    assert [row[0] for row in rows] == NAMES
    assert {row[0]: row[1] for row in rows} == PARAMS
    assert all(len(row) == len(HEADER) for row in rows)


def test_the_results_are_those_of_the_table(demo):
    done, folder = demo
    for row, printed in zip(json.loads((folder / "results.json").read_text()), table(done.stdout)[1:], strict=True):
        assert f"{row['macs']:,}" == printed[2]
        assert [f"{100 * row[key]:.2f} %" for key in ("accuracy", "best")] == printed[3:5]
        assert 0 < row["accuracy"] <= row["best"] <= 1
        assert row["ms"] > 0


def test_every_network_leaves_a_run_folder(demo):
    for name in NAMES:
        assert {"best.params", "card.json", "config.yaml", "metrics.jsonl", "history.png"} <= {
            path.name for path in (demo[1] / name).iterdir()
        }


def test_the_best_network_is_exported_and_compared(demo):
    done, folder = demo
    name = best(folder)
    assert {path.name for path in (folder / name / "export").iterdir()} == {
        f"{name}-symbol.json", f"{name}-0000.params", f"{name}-card.json", f"{name}.onnx",
    }  # fmt: skip
    assert not any((folder / other / "export").exists() for other in NAMES if other != name)
    assert done.stdout.count("agrees with the trained network on 359 images") == 2


def test_the_exported_files_score_as_the_table_says(demo, capsys):
    folder, name = demo[1], best(demo[1])
    wanted = {row["name"]: row["best"] for row in json.loads((folder / "results.json").read_text())}[name]
    for target in (folder / name, folder / name / "export" / f"{name}.onnx"):
        assert main(["eval", str(target), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["accuracy"] == pytest.approx(wanted)


def test_the_page_shows_all_and_loads_nothing(demo):
    text = (demo[1] / "report.html").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"<td>{name}</td><td>{PARAMS[name]}</td>" in text
    assert text.count('<tr class="marked"><td>' + best(demo[1])) == 1
    assert text.count("<svg") == 1
    assert f"runs/demo/{best(demo[1])}/export/{best(demo[1])}.onnx agrees with" in text
    assert not re.search(r"(src|href)=[\"']?http", text)
    assert "url(http" not in text


def test_a_bad_number_of_epochs_is_one_line(capsys):
    assert main(["demo", "--num-epochs", "0"]) == 2
    assert capsys.readouterr().err.startswith("error: argument --num-epochs: must be a whole number above 0")


@pytest.mark.slow
def test_the_whole_demo_reaches_its_accuracy(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "gluon_attn", "demo"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=1800,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs/demo"
    accuracies = {row["name"]: row["accuracy"] for row in json.loads((folder / "results.json").read_text())}
    assert set(accuracies) == set(NAMES)
    assert all(accuracy >= 0.96 for accuracy in accuracies.values()), accuracies
