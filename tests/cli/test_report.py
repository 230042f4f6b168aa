"""`gluon-attn report`, as a user calls it; the pages in a browser."""

import browser
import pytest
from run_folders import comparison_folder, connections_folder, gradient_folder, run_folder

from gluon_attn.cli import main


@pytest.fixture
def runs(tmp_path):
    plain = run_folder(tmp_path / "plain", [0.25, 0.5])
    return [str(plain), str(run_folder(tmp_path / "se", [0.75], {"model": {"attention": "se"}}, val_top5=0.9))]


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """(the folders by kind, a page about all of them)."""
    top = tmp_path_factory.mktemp("all")
    folders = {
        "runs": [run_folder(top / name, [0.25, 0.5]) for name in ("plain", "se")],
        "cells": [gradient_folder(top / "cells", "att-darts")],
        "attentions": [gradient_folder(top / f"seeds/seed-{seed}", "anas", seed=seed) for seed in (1, 2)],
        "connections": [connections_folder(top / "connections")],
        "study": [comparison_folder(top / "study", {"identity": [0.8, 0.81, 0.8], "se": [0.9, 0.92, 0.91]})],
    }
    page = top / "report.html"
    given = [*folders["runs"], folders["study"][0], folders["cells"][0], top / "seeds", folders["connections"][0]]
    assert main(["report", *map(str, given), "--output", str(page)]) == 0
    return folders, page


def test_a_page_of_two_runs(runs, tmp_path, capsys):
    page = tmp_path / "pages" / "both.html"
    assert main(["report", *runs, "--output", str(page)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed[:3]] == ["run", "plain", "se"]
    assert printed[-1] == f"curves and more: {page}"
    text = page.read_text(encoding="utf-8")
    assert "<h1>2 training runs</h1>" in text
    assert "<h2>Options that differ</h2>" in text
    assert '<th scope="row">model.attention</th><td>-</td><td>se</td>' in text
    assert '<tr class="marked"><th scope="row">se</th>' in text
    for panel in ("training loss", "test loss", "test accuracy, top-1", "test accuracy, top-5", "learning rate"):
        assert f"<!-- {panel} -->" in text


def test_only_runs_of_one_data_set_are_compared(runs, tmp_path, capsys):
    """A table for each data set, the best row of each marked where there are several."""
    other = run_folder(tmp_path / "other", [0.99], {"data": {"dataset": "digits"}})
    assert main(["report", *runs, str(other), "--output", str(tmp_path / "report.html")]) == 0
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count('<tr class="marked">') == 1
    assert '<tr class="marked"><th scope="row">se</th><td>cifar10</td><td>se</td>' in text
    assert "<caption>digits: scores of the best epoch of each run</caption>" in text
    assert len(capsys.readouterr().out.splitlines()) == 5  # one table, the curves


def test_a_page_of_one_run_compares_nothing(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["report", runs[0]]) == 0
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h1>plain</h1>" in text
    assert "Options that differ" not in text
    assert 'class="marked"' not in text
    assert "top-5" not in text


def test_all_kinds_on_one_page(everything):
    text = everything[1].read_text(encoding="utf-8")
    assert "<h1>5 reports</h1>" in text
    for heading in ("2 training runs", "cells (att-darts)", "2 searches (anas)", "Connections of cifar_resnet20_v1"):
        assert f"<h2>{heading}</h2>" in text
    assert "<h2>cifar_resnet20_v1 on digits: 2 methods, 3 seeds</h2>" in text
    for heading in ("Weights of the operations of seed-2", "Best reward so far", "Curves", "What can be concluded"):
        assert f"<h3>{heading}</h3>" in text
    assert "se is better than plain by 10.67 points with 3 seeds." in text
    assert "the search has not ended" not in text.split("<h2>Connections")[0]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("cells", ["alphas_normal", "entropy of the softmaxes", "What the search chose"]),
        ("attentions", ["Options that differ", "train.seed", "seed-1", "genotype since epoch"]),
        ("connections", ["best reward so far", "probability of a connection", "the search has not ended"]),
        ("study", ["Accuracy over cost", "95 % interval", "80.33 ± 0.58 %"]),
    ],
)
def test_a_page_of_one_kind(everything, tmp_path, kind, words):
    page = tmp_path / "report.html"
    assert main(["report", *map(str, everything[0][kind]), "--output", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    for word in words:
        assert word in text
    assert "<h3>" not in text


def test_a_folder_that_is_no_run_leaves_nothing(runs, tmp_path, capsys):
    page, other = tmp_path / "report.html", tmp_path / "other"
    other.mkdir()
    assert main(["report", runs[0], str(other), "--output", str(page)]) == 2
    assert capsys.readouterr() == ("", f"error: {other} is not a run folder: it has no config.yaml\n")
    assert not page.exists()


def test_what_has_nothing_to_show_yet_is_one_line(tmp_path, capsys):
    study = comparison_folder(tmp_path / "study", {"identity": [0.5], "se": [0.5]})
    (study / "results.json").unlink()
    search = connections_folder(tmp_path / "search")
    (search / "samples-ean.jsonl").write_text("")
    for folder, words in ((study, "has no results yet"), (search, "samples-ean.jsonl is damaged")):
        assert main(["report", str(folder), "--output", str(tmp_path / "report.html")]) == 2
        said = capsys.readouterr().err
        assert words in said
        assert said.count("\n") == 1


@pytest.mark.skipif(browser.missing() is not None, reason=str(browser.missing()))
@pytest.mark.parametrize("dark", [False, True])
def test_the_page_in_a_browser(everything, dark):
    """Nothing is loaded, nothing is wrong, it fits a phone, and those who hear it or see badly can read it."""
    with browser.browser() as new_page:
        for width in (390, 1200):
            page = new_page(width, dark=dark)
            page.open(everything[1])
            assert [one for one in page.requests if not one.startswith("data:")] == [everything[1].as_uri()]
            assert page.errors == []
            assert page.overflow() == 0
            columns = (
                "[...new Set([...document.querySelectorAll('.panels svg')].map(p => p.getBoundingClientRect().x))]"
            )
            assert page.value(f"{columns}.length") == (1 if width == 390 else 2)  # panels one below the other
            assert (
                page.value("Math.max(...[...document.querySelectorAll('.panels svg')].map(p => p.clientWidth))") < width
            )
            assert min(page.contrasts()) >= 4.5  # WCAG 2, level AA
        roles = page.roles()
        assert not [name for role, name in roles if role in ("image", "table") and not name]
        assert sum(role == "image" for role, name in roles) == page.value("document.querySelectorAll('figure').length")
        assert "columnheader" in dict(roles)
        assert "rowheader" in dict(roles)
