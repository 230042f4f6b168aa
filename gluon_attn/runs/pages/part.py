"""A part of a report: what one kind of run folder shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...analyze.page import Section


@dataclass(frozen=True)
class Part:
    """What a report shows of a study, of a search or of several training runs.

    Attributes:
        title: what it is about.
        summary: how the numbers came about.
        header, rows: its main table, which the command line prints, too.
        sections: of the page, that table included.
        lines: what the command line prints below the table.
    """

    title: str
    summary: str
    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    sections: Sequence[Section]
    lines: Sequence[str] = ()


def without_empty(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[list[str], list[list[Any]]]:
    """(header, rows) of a table without the columns in which every cell is "" or None; None becomes ""."""
    kept = [i for i in range(len(header)) if any(row[i] not in ("", None) for row in rows)]
    return [header[i] for i in kept], [["" if row[i] is None else row[i] for i in kept] for row in rows]
