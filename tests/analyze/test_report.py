"""The HTML page: what it shows, what it escapes, and that it needs nothing from elsewhere."""

from html.parser import HTMLParser

import pytest

from gluon_attn.analyze.report import write_report
from gluon_attn.utils.errors import UserError

PAGE = {
    "title": "A title",
    "summary": "What was done.",
    "header": ("name", "params"),
    "rows": [("plain", 272474), ("se", 274847)],
    "figure": "<svg id='curves'></svg>",
}


class Reader(HTMLParser):
    """Collects the text of each cell, the classes of rows, and every attribute that could load something."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.rows, self.loads, self.tags = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loads += [value for name, value in attributes if name in ("src", "href", "xlink:href", "data")]
        if tag == "tr":
            self.rows.append(dict(attributes).get("class"))

    def handle_data(self, data):
        if self.tags and self.tags[-1] in ("th", "td") and data.strip():
            self.cells.append(data.strip())


def page(tmp_path, **changes):
    write_report(tmp_path / "report.html", **{**PAGE, **changes})
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_table_holds_every_cell(tmp_path):
    read = Reader(page(tmp_path, marked=1))
    assert read.cells == ["name", "params", "plain", "272,474", "se", "274,847"]
    assert read.rows == [None, None, "marked"]


def test_no_row_is_marked_unless_asked(tmp_path):
    assert Reader(page(tmp_path)).rows == [None, None, None]


def test_title_summary_figure_and_sections(tmp_path):
    text = page(tmp_path, sections=[("Files", ["a.onnx", "b.json"])])
    assert "<title>A title</title>" in text
    assert "<h1>A title</h1>" in text
    assert "What was done." in text
    assert "<svg id='curves'></svg>" in text
    assert "<h2>Files</h2>\n<pre>a.onnx\nb.json</pre>" in text


def test_further_tables_stand_behind_the_curves(tmp_path):
    text = page(tmp_path, marked=0, tables=[("Options that differ", ["option", "a"], [["lr", "0.1"], ["wd", "0"]])])
    assert Reader(text).cells[6:] == ["option", "a", "lr", "0.1", "wd", "0"]
    assert Reader(text).rows == [None, "marked", None, None, None, None]
    assert text.index("curves") < text.index("<h2>Options that differ</h2>")


def test_text_is_escaped(tmp_path):
    nasty = "<script>alert(1)</script>"
    text = page(
        tmp_path, title=nasty, summary=nasty, header=(nasty, "b"), rows=[(nasty, 1)], sections=[(nasty, [nasty])],
        tables=[(nasty, [nasty], [[nasty]])],
    )  # fmt: skip
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 10


def test_nothing_is_loaded_from_elsewhere(tmp_path):
    text = page(tmp_path)
    read = Reader(text)
    assert read.loads == []
    assert not {"script", "link", "img", "iframe"} & set(read.tags)
    assert "http" not in text
    assert "url(" not in text


def test_a_page_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write to"):
        write_report(tmp_path / "file" / "report.html", **PAGE)
