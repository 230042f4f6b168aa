"""`gluon-attn report`, as a user calls it."""

import pytest
from run_folders import run_folder

from gluon_attn.cli import main


@pytest.fixture
def runs(tmp_path):
    plain = run_folder(tmp_path / "plain", [0.25, 0.5])
    return [str(plain), str(run_folder(tmp_path / "se", [0.75], {"model": {"attention": "se"}}, val_top5=0.9))]


def test_a_page_of_two_runs(runs, tmp_path, capsys):
    page = tmp_path / "pages" / "both.html"
    assert main(["report", *runs, "--output", str(page)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed[:3]] == ["run", "plain", "se"]
    assert printed[-1] == f"curves and options that differ: {page}"
    text = page.read_text(encoding="utf-8")
    assert "<h1>2 training runs</h1>" in text
    assert "<h2>Options that differ</h2>" in text
    assert "<td>model.attention</td><td>-</td><td>se</td>" in text
    assert '<tr class="marked"><td>se</td>' in text
    for panel in ("training loss", "test loss", "test accuracy, top-1", "test accuracy, top-5", "learning rate"):
        assert f"<!-- {panel} -->" in text


def test_a_page_of_one_run_compares_nothing(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["report", runs[0]]) == 0
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h1>plain</h1>" in text
    assert "Options that differ" not in text
    assert 'class="marked"' not in text
    assert "top-5" not in text


def test_a_folder_that_is_no_run_leaves_nothing(runs, tmp_path, capsys):
    page = tmp_path / "report.html"
    assert main(["report", runs[0], str(tmp_path), "--output", str(page)]) == 2
    assert capsys.readouterr() == ("", f"error: {tmp_path} is not a run folder: it has no config.yaml\n")
    assert not page.exists()
