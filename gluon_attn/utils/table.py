"""Tables in plain text."""


def render(header, rows):
    """Lines with aligned columns: numbers to the right (with thousands separated), text to the left; None is empty."""
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


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(value):
    if value is None:
        return ""
    return f"{value:,}" if _is_number(value) else str(value)
