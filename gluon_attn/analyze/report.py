"""An HTML page about some runs: one file, nothing loaded from elsewhere."""

from importlib import resources

import jinja2

from ..utils.files import write_text


def write_report(path, title, summary, header, rows, figure, marked=None, tables=(), sections=()):
    """Write a page with a table, a picture and text sections to `path`.

    header, rows: cells, text or whole numbers. marked: number of the row to bring out. figure: SVG text, put in as it
    is. tables: (heading, header, rows) of further tables behind it. sections: (heading, lines of text).
    """
    source = resources.files(__package__).joinpath("templates/report.html").read_text(encoding="utf-8")
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
    write_text(path, page)
