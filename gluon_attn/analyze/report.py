"""An HTML page about runs: one file that needs no other file and no network."""

from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from ..utils.files import write_text


def write_report(
    path: str | Path,
    title: str,
    summary: str,
    header: Sequence[str],
    rows: Sequence[Sequence[Any]],
    figure: str,
    marked: int | None = None,
    tables: Iterable[tuple[str, Sequence[str], Sequence[Sequence[Any]]]] = (),
    sections: Iterable[tuple[str, Sequence[str]]] = (),
) -> None:
    """Write a page with a table, a picture, further tables and sections of text.

    Args:
        path: HTML file to write.
        title: Heading of the page.
        summary: Text below it.
        header: Headings of the first table.
        rows: Its cells, text or integers.
        figure: SVG text, which is not escaped.
        marked: Number of the row to highlight.
        tables: (heading, header, rows) of each table after the picture.
        sections: (heading, lines of text) of each section.
    """
    source = (resources.files(__package__) / "templates" / "report.html").read_text(encoding="utf-8")
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(source)
    page = template.render(
        title=title,
        summary=summary,
        header=header,
        rows=rows,
        figure=figure,
        marked=marked,
        tables=tables,
        sections=sections,
    )
    write_text(path, page.encode("utf-8", "backslashreplace").decode())  # names of files may be no text
