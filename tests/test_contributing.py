"""CONTRIBUTING's steps to a new attention, followed as they are printed, in a copy of the tree."""

import re
import shlex
import shutil
import subprocess
import sys

import pytest
from texts import ROOT

#: what the copy holds of the tree
KEPT = (
    "gluon_attn", "tests", "benchmarks", "docs", "configs", "params", "examples",
    "*.md", "*.py", "*.toml", "*.yml", "LICENSE", "Makefile",
)  # fmt: skip
#: "`file`:", or "In `file`, above `WORD`:" and "In `file`, as the first line of `WORD`:", with the block below it
STEP = re.compile(
    r"(?:In )?`([\w./-]+)`(?:, (above|as the first line of) `([^`]+)`)?:\n\n```(?:python|py|md)\n(.*?)^```",
    re.MULTILINE | re.DOTALL,
)
SECTION = re.search(
    r"^## Add an attention\n(.*?)^## ", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)[1]
COMMANDS = [line for block in re.findall(r"^```bash\n(.*?)^```", SECTION, re.M | re.S) for line in block.splitlines()]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the tree in which the steps were followed up to the checks."""
    top = tmp_path_factory.mktemp("tree") / "clone"
    top.mkdir()
    for pattern in KEPT:
        for path in ROOT.glob(pattern):
            if path.is_dir():
                shutil.copytree(path, top / path.name, ignore=shutil.ignore_patterns("__pycache__", "golden*"))
            else:
                shutil.copy(path, top)
    for name in ("golden", "golden-detection"):  # which texts name
        (top / "tests" / name).mkdir()
    steps = STEP.findall(SECTION)
    assert len(steps) == 6
    for file, place, word, text in steps:
        _write(top / file, place, word, text)
    assert run(top, COMMANDS[0]).returncode == 0
    return top


def _write(path, place, word, text):
    """Do what a step says."""
    if not place:
        assert not path.exists()
        path.write_text(text, encoding="utf-8")
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    (number,) = (i for i, line in enumerate(lines) if re.match(rf"{re.escape(word)}\b", line))
    number += place != "above"
    while place == "above" and lines[number - 1].startswith("#"):  # the comment belongs to what it stands above
        number -= 1
    if word.startswith("#"):  # a heading and its empty line
        number += 1
    lines.insert(number, f"{text}\n\n" if place == "above" else text)
    path.write_text("".join(lines), encoding="utf-8")


def run(top, line, *more):
    """Run a printed command in the copy, with the Python of the tests."""
    program, *words = shlex.split(line)
    start = {".venv/bin/python": [sys.executable], ".venv/bin/gluon-attn": [sys.executable, "-m", "gluon_attn"]}[
        program
    ]
    environment = {"PYTHONPATH": str(top), "PATH": "/usr/bin:/bin", "HOME": str(top), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*start, *words, *more], cwd=top, env=environment, capture_output=True, text=True, check=False
    )


def test_the_docs_name_it(tree):
    assert "\n## gather_excite\n" in (tree / "docs/attentions.md").read_text(encoding="utf-8")
    before, after = (re.search(r"(\d+) attentions", (top / "README.md").read_text("utf-8"))[1] for top in (ROOT, tree))
    assert int(after) == int(before) + 1
    changes = (tree / "CHANGELOG.md").read_text(encoding="utf-8").partition("## Unreleased\n\n")[2]
    assert changes.startswith("- Attention `gather_excite`.\n- ")


def test_its_checks_pass(tree):
    _, check, tests, lint = COMMANDS
    done = run(tree, check)
    assert done.returncode == 0, done.stdout + done.stderr
    few = "gather_excite or has_a_formula or has_a_peer or readme or files_that"
    done = run(tree, tests, "-k", few)
    assert done.returncode == 0, done.stdout[-3000:]
    assert lint == "make lint"


@pytest.mark.slow
def test_all_its_tests_pass(tree):
    done = run(tree, COMMANDS[2])
    assert done.returncode == 0, done.stdout[-3000:]


def test_its_files_are_in_style(tree):
    """What `make lint` looks at, but for types."""
    pytest.importorskip("ruff", reason="ruff is not installed")
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *words, "."], cwd=tree, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("number", "words"), [(2, "CASES"), (4, "has_a_peer")])
def test_a_step_left_out_is_noticed(tree, tmp_path, number, words):
    """The line of the formula, that of the peer."""
    file, _, _, text = STEP.findall(SECTION)[number]
    path = tree / file
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace(text, "", 1), encoding="utf-8")
    try:
        done = run(tree, COMMANDS[2], "-k", "has_a_formula or has_a_peer")
    finally:
        path.write_text(whole, encoding="utf-8")
    assert done.returncode == 1
    assert words in done.stdout
