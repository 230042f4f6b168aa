"""The tables of benchmarks/results, each with the processor that it was measured on."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[1] / "benchmarks/results"
#: the command that measured stands before it in backticks
_PROCESSOR = re.compile(r"` on ([^,\n]+),")


@dataclass(frozen=True)
class Measured:
    """A table that one processor gave.

    Attributes:
        processor: its name.
        columns: headings.
        rows: cells.
    """

    processor: str
    columns: list[str]
    rows: list[list[str]]

    def cell(self, row: Sequence[str], column: str) -> str:
        """The cell of a row below a heading; empty where the table does not have it."""
        return row[self.columns.index(column)] if column in self.columns else ""


def measured(name: str) -> list[Measured]:
    """The tables of a results file, in its order. One without a command above it has the processor of the one before.

    Raises:
        ValueError: no processor is named before the first table.
    """
    found: list[Measured] = []
    before = processor = ""
    for line in (RESULTS / f"{name}.md").read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            processor = next(reversed(_PROCESSOR.findall(line)), processor)
        elif not before.startswith("|"):
            if not processor:
                raise ValueError(f"benchmarks/results/{name}.md names no processor above its table")
            found.append(Measured(processor.replace("(R)", ""), _cells(line), []))
        elif not line.startswith("|--"):
            found[-1].rows.append(_cells(line))
        before = line
    return found


def first(name: str) -> Measured:
    """The first table of a results file."""
    return measured(name)[0]


def _cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def by_processor(names: Iterable[str], columns: Sequence[str]) -> dict[str, list[Measured]]:
    """Processor -> its tables in some files that begin with these columns."""
    found: dict[str, list[Measured]] = {}
    for name in names:
        for table in measured(name):
            if table.columns[: len(columns)] == list(columns):
                found.setdefault(table.processor, []).append(table)
    return found


def markdown(processor: str, columns: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """A table with its processor above it; columns without any cell are left out.

    Args:
        processor: its name.
        columns: headings.
        rows: cells.
        words: how many of the first columns hold words; numbers are aligned on the right.
    """
    rows = list(rows)
    kept = [i for i in range(len(columns)) if any(row[i] for row in rows)]
    rule = "".join("---|" if i < words else "---:|" for i in kept)
    lines = [f"| {' | '.join(row[i] for i in kept)} |" for row in (columns, *rows)]
    return "\n".join([f"{processor}:", "", lines[0], f"|{rule}", *lines[1:]])
