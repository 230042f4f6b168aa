"""Tables in plain text."""

from collections.abc import Iterable, Sequence
from typing import Any


def render(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table with aligned columns.

    Columns with a number are aligned right, all others left. Numbers have thousands separators; None is an empty cell.

    Args:
        header: name of each column.
        rows: values of each row.

    Returns:
        One line per row, after the header.
    """
    rows = list(rows)
    cells = [[_text(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    right = [any(_is_number(row[i]) for row in rows) for i in range(len(header))]
    lines = []
    for row in (header, *cells):
        columns = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        lines.append("  ".join(columns).rstrip())
    return "\n".join(lines)


def without_empty(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[list[str], list[list[Any]]]:
    """(header, rows) of a table without the columns in which every cell is "" or None; None becomes ""."""
    kept = [i for i in range(len(header)) if any(row[i] not in ("", None) for row in rows)]
    return [header[i] for i in kept], [["" if row[i] is None else row[i] for i in kept] for row in rows]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,}" if _is_number(value) else str(value)
