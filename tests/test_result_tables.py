"""The tables of README and docs/results.md: from the results files alone, no row of two processors."""

import re
import sys

import pytest
from texts import ROOT

sys.path.insert(0, str(ROOT / "docs"))
import generate
import readme_table
import result_files
import result_tables

TEXTS = ("README.md", "docs/results.md")
USED = (
    "attention", "overhead", "gating", "train_step_224", "train_step_cifar", "train_step_timm", "input", "ean",
    "search", "deploy", "deploy_timm", "detection", "horovod_224", "horovod_cifar", "import_time",
)  # fmt: skip
TWO = """# Steps

`python benchmarks/train_step.py` on Intel(R) Xeon(R) Processor @ 2.80GHz, OMP_NUM_THREADS=1, MXNet 1.9.1.

| network | batch | type | img/s | eager | to eager |
|---|---|---|---:|---:|---:|
| resnet50 | 16 | float32 | 4.0 | 2.0 | 2.00 |

Later (`python benchmarks/train_step.py resnet50` on AMD EPYC, OMP_NUM_THREADS=1):

| network | batch | type | img/s | eager | to eager | of the limit |
|---|---|---|---:|---:|---:|---:|
| resnet50 | 16 | float32 | 3.0 | 1.0 | 3.00 | 50 % |

Again:

| network | batch | type | img/s | eager | to eager | of the limit |
|---|---|---|---:|---:|---:|---:|
| resnet50 | 16 | float32 | 3.5 | 1.0 | 3.50 | 55 % |
"""


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A copy of the results files in their place."""
    for path in result_files.RESULTS.glob("*.md"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(result_files, "RESULTS", tmp_path)
    return tmp_path


def test_each_table_has_the_processor_of_the_command_above_it(results):
    (results / "train_step_224.md").write_text(TWO)
    found = result_files.measured("train_step_224")
    assert [table.processor for table in found] == ["Intel Xeon Processor @ 2.80GHz", "AMD EPYC", "AMD EPYC"]
    assert [table.cell(table.rows[0], "of the limit") for table in found] == ["", "50 %", "55 %"]
    (results / "none.md").write_text("# Title\n\n| a |\n|---|\n| 1 |\n")
    with pytest.raises(ValueError, match=r"none\.md names no processor"):
        result_files.measured("none")


def test_figures_of_two_processors_are_never_in_one_row(results):
    (results / "train_step_224.md").write_text(TWO)
    for name in ("train_step_cifar", "train_step_timm"):
        (results / f"{name}.md").write_text("")
    assert result_tables.steps_table() == (
        "Intel Xeon Processor @ 2.80GHz:\n\n| network | float32 |\n|---|---:|\n| `resnet50` | 2.00 |\n\n"
        "AMD EPYC:\n\n| network | float32 | float32, of the limit |\n|---|---:|---:|\n| `resnet50` | 3.50 | 55 % |"
    )


@pytest.mark.parametrize("name", USED)
def test_a_results_file_that_changes_makes_the_texts_stale(name, results):
    before = _made()
    text = (results / f"{name}.md").read_text(encoding="utf-8")
    processor = result_files.first(name).processor
    other = re.sub(r"` on [^,\n]+,", "` on Another Processor,", text)
    (results / f"{name}.md").write_text(other, encoding="utf-8")
    assert processor != "Another Processor"
    assert "Another Processor" in "".join(_made())
    figures = re.sub(r"(?<=\| )\d+(?=\.?\d* \|)", lambda found: str(int(found[0]) + 1), text)
    (results / f"{name}.md").write_text(figures, encoding="utf-8")
    assert _made() != before


def _made():
    """What the texts should hold."""
    return [*(make() for make in result_tables.TABLES.values()), readme_table.results_table()]


def test_one_command_makes_both_texts():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (command,) = re.findall(r"^bench-table:.*## .*\n\t@\$\(BIN\)/python (.*)$", makefile, re.MULTILINE)
    assert command.split() == ["docs/generate.py", *TEXTS]
    assert set(TEXTS) <= set(generate.FILES)


def test_every_table_of_results_stands_in_the_text():
    text = (ROOT / "docs/results.md").read_text(encoding="utf-8")
    assert re.findall(r"^<!-- (\w+) -->$", text, re.MULTILINE) == list(result_tables.TABLES)
    outside = re.sub(r"<!-- (\w+) -->.*?<!-- end of \1 -->", "", text, flags=re.DOTALL)
    assert "|---" not in outside, "a table that no results file makes"
