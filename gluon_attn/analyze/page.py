"""An HTML page in one file: tables, pictures and text, without a script, another file or the network.

It is readable on a phone and by a screen reader, light or dark as the reader's system is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from ..utils.files import write_text


@dataclass(frozen=True)
class Text:
    """Paragraphs, or lines in a fixed-width font.

    Attributes:
        lines: the text of each.
        fixed: whether they are lines of output or code.
    """

    lines: Sequence[str]
    fixed: bool = False


@dataclass(frozen=True)
class Table:
    """A table whose first column names its rows.

    Attributes:
        header: heading of each column.
        rows: their cells, text or integers.
        marked: index of the row to highlight.
        caption: what it shows, for those who only hear it.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    marked: int | None = None
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
        svg: SVG text, from `figures.svg_text`; it is not escaped.
        description: what it shows, for those who cannot see it.
    """

    svg: str
    description: str


@dataclass(frozen=True)
class Panels:
    """Pictures of equal size with one legend: two side by side, on a phone one below the other.

    Attributes:
        svgs: SVG text of each, from `figures.svg_text`; it is not escaped.
        description: what they show, for those who cannot see it.
        legend: SVG text of a sign and what it stands for, of each curve.
    """

    svgs: Sequence[str]
    description: str
    legend: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it.

    Attributes:
        heading: the heading.
        parts: what stands below it.
        level: of the heading: 2, or 3 below another section.
    """

    heading: str
    parts: Sequence[Text | Table | Picture | Panels]
    level: int = 2


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


def write_page(path: str | Path, title: str, summary: str, sections: Sequence[Section]) -> None:
    """Write a page, whole or not at all.

    Args:
        path: HTML file to write.
        title: heading of the page.
        summary: text below it.
        sections: the rest; those without parts are left out.
    """
    source = (resources.files(__package__) / "templates" / "page.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.tests.update({kind.__name__.lower(): _is(kind) for kind in (Text, Table, Picture, Panels)})
    page = environment.from_string(source).render(
        title=title, summary=summary, sections=[section for section in sections if section.parts]
    )
    write_text(path, page.encode("utf-8", "backslashreplace").decode())  # names of files may be no text


def _is(kind):
    return lambda part: isinstance(part, kind)
