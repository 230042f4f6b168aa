"""The HTML page: what it shows, what it escapes, and that it needs nothing from elsewhere."""

from html.parser import HTMLParser

import pytest

from gluon_attn.analyze.page import Panels, Picture, Section, Table, Text, write_page
from gluon_attn.utils.errors import UserError

TABLE = Table(("name", "params"), [("plain", 272474), ("se", 274847)], caption="Costs")
SECTIONS = [Section("Costs", [TABLE]), Section("Curves", [Picture("<svg id='curves'></svg>", "Two curves")])]


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


def page(tmp_path, sections=SECTIONS, title="A title", summary="What was done."):
    write_page(tmp_path / "report.html", title, summary, sections)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_table_holds_every_cell(tmp_path):
    read = Reader(page(tmp_path, [Section("Costs", [Table(TABLE.header, TABLE.rows, marked=1)])]))
    assert read.cells == ["name", "params", "plain", "272,474", "se", "274,847"]
    assert read.rows == [None, None, "marked"]


def test_no_row_is_marked_unless_asked(tmp_path):
    assert Reader(page(tmp_path)).rows == [None, None, None]


def test_headers_captions_and_descriptions_are_there_for_those_who_only_hear_them(tmp_path):
    text = page(tmp_path)
    assert '<th scope="col">params</th>' in text
    assert '<th scope="row">plain</th>' in text
    assert "<caption>Costs</caption>" in text
    assert '<figure role="img" tabindex="0" aria-label="Two curves"><div aria-hidden="true"><svg id=' in text
    assert '<html lang="en">' in text


def test_title_summary_headings_and_text(tmp_path):
    below = Section("Files", [Text(["a.onnx", "b.json"], fixed=True), Text(["Two files."])], level=3)
    text = page(tmp_path, [*SECTIONS, below, Section("Nothing", [])])
    assert "<title>A title</title>" in text
    assert "<h1>A title</h1>" in text
    assert "What was done." in text
    assert "<h2>Curves</h2>" in text
    assert "<h3>Files</h3>" in text
    assert "<pre>a.onnx\nb.json</pre>" in text
    assert "<p>Two files.</p>" in text
    assert "Nothing" not in text


def test_text_is_escaped(tmp_path):
    nasty = "<script>alert('\"')</script>"
    parts = [Text([nasty], fixed=True), Text([nasty]), Table((nasty,), [(nasty,)], caption=nasty), Picture("", nasty)]
    text = page(tmp_path, [Section(nasty, parts)], title=nasty, summary=nasty)
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(&#39;&#34;&#39;)") == 11


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
        write_page(tmp_path / "file" / "report.html", "A title", "", [])


def test_names_that_are_no_utf8_are_shown(tmp_path):
    assert "a\\udcff" in page(tmp_path, title="a\udcff")


def test_panels_have_one_legend(tmp_path):
    panels = Panels(["<svg id='a'></svg>", "<svg id='b'></svg>"], "Two panels", [("<svg id='c'></svg>", "a < b")])
    text = page(tmp_path, [Section("Curves", [panels])])
    assert '<figure role="img" tabindex="0" aria-label="Two panels"><div class="panels" aria-hidden="true">' in text
    assert text.index("id='a'") < text.index("id='b'") < text.index("id='c'")
    assert "<li><svg id='c'></svg>a &lt; b</li>" in text
    assert "<li>" not in page(tmp_path, [Section("Curves", [Panels(["<svg></svg>"], "One")])])
