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
from studies import run_here

pytest.importorskip("optuna", reason="needs Optuna")

from gluon_attn.cli import main
from gluon_attn.data import digits
from gluon_attn.runs import compare

ROOT = Path(__file__).resolve().parents[2]
PARAMS = {"plain": "272,474", "se": "274,847", "eca": "272,501", "cha_atac": "289,610"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """(what the demo printed as `stdout`, its folder) after an epoch of 256 images, all test images as ever.

    Its networks are trained in this process, which knows the few images.
    """
    folder, split, said = tmp_path_factory.mktemp("demo"), digits.split, io.StringIO()

    def few(labels):
        train, test = split(labels)
        return train[:256], test

    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.chdir(folder)
        patch.setattr(digits, "split", few)
        patch.setattr(compare, "run_all", run_here)
        assert main(["demo", "--num-epochs", "1"]) == 0
    return SimpleNamespace(stdout=said.getvalue()), folder / "runs" / "demo"


def table(text):
    """The rows of the printed table, split into cells."""
    lines = text.split("\n\n")[0].strip().splitlines()
    return [re.split(r"\s{2,}", line.strip()) for line in lines]


def results(folder):
    return {one["name"]: one for one in json.loads((folder / "results.json").read_text())["methods"]}


def best(folder):
    return min(results(folder).values(), key=lambda one: (-one["accuracy"], one["macs"]))


def test_the_table_has_a_row_for_each_network(demo):
    header, *rows = table(demo[0].stdout)
    assert header == [
        "method", "accuracy", "difference (95 % interval)", "params", "MACs", "ms/image", "overhead", "s/epoch"
    ]  # fmt: skip
    assert [row[0] for row in rows] == list(PARAMS)
    for name, *cells in rows:
        assert PARAMS[name] in cells
        assert cells[0] == f"{100 * results(demo[1])[name]['accuracy']:.2f} %"
    assert demo[0].stdout.count("from which nothing can be concluded") == 3


def test_every_network_leaves_a_run_folder(demo):
    for one in results(demo[1]).values():
        folder = demo[1] / f"runs/{one['runs'][0]['number']:03d}"
        assert {"best.params", "card.json", "config.yaml", "metrics.jsonl", "history.png"} <= {
            path.name for path in folder.iterdir()
        }


def test_the_best_network_is_exported_and_compared(demo):
    done, folder = demo
    name = best(folder)["name"]
    assert {path.name for path in (folder / "export").iterdir()} == {
        f"{name}-symbol.json", f"{name}-0000.params", f"{name}-card.json", f"{name}.onnx",
    }  # fmt: skip
    assert done.stdout.count("agrees with the trained network on 359 images") == 2


def test_the_exported_files_score_as_the_best_epoch(demo, capsys, monkeypatch):
    done, folder = demo
    monkeypatch.chdir(folder.parents[1])
    one = best(folder)["runs"][0]
    commands = re.findall(r"gluon-attn (eval [^;\n]+)", done.stdout)
    assert len(commands) == 2
    for command in commands:
        assert main([*command.split(), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["accuracy"] == pytest.approx(one["best"])


def test_the_page_shows_all_and_loads_nothing(demo):
    text = (demo[1] / "report.html").read_text(encoding="utf-8")
    for name, params in PARAMS.items():
        assert f'<th scope="row">{name}</th>' in text
        assert f"<td>{params}</td>" in text
    assert 'class="marked"' not in text  # with one seed nothing is told apart
    assert f"runs/demo/export/{best(demo[1])['name']}.onnx agrees with" in text
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
    accuracies = {name: one["accuracy"] for name, one in results(tmp_path / "runs/demo").items()}
    assert set(accuracies) == set(PARAMS)
    assert all(accuracy >= 0.96 for accuracy in accuracies.values()), accuracies
