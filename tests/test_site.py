"""The site that `make docs` builds: strictly, with all its pages, and without anything from another host."""

import inspect
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import gluon_attn

pytest.importorskip("mkdocs", reason="MkDocs is missing: make docs installs it")
pytest.importorskip("mkdocstrings_handlers.python", reason="mkdocstrings is missing: make docs installs it")

ROOT = Path(__file__).resolve().parents[1]
#: tag -> the attribute by which it loads something
LOADS = {
    "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "embed": "src",
    "object": "data", "link": "href",
}  # fmt: skip


class Loads(HTMLParser):
    """Collects what a page loads by itself; a diagram counts, since Material draws one with a foreign script."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag in LOADS and values.get("rel") != "canonical":
            self.found += [values.get(LOADS[tag]), *re.split(r"[\s,]+", values.get("srcset") or "")]
        self.found += from_css(values.get("style") or "")
        if "mermaid" in (values.get("class") or "").split():
            self.found.append("https://unpkg.com/mermaid")

    def handle_data(self, data):
        if self.lasttag == "style":
            self.found += from_css(data)


def from_css(text):
    """Addresses that a style sheet loads."""
    return re.findall(r"url\(\s*['\"]?([^'\")]+)", text) + re.findall(r"@import\s+['\"]([^'\"]+)", text)


def foreign(addresses):
    """Those of another host."""
    return [address for address in addresses if re.match(r"(?:[a-z]+:)?//", address or "")]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site, built strictly."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_make_docs_is_as_strict():
    (line,) = re.findall(r"^.*mkdocs build.*$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert "--strict" in line
    assert "--quiet" not in line  # MkDocs counts the warnings that it prints


def test_every_text_is_a_page(site):
    texts = {path.stem for path in ROOT.glob("docs/*.md")} | {"index", "contributing", "changelog", "weights"}
    assert texts <= {path.stem for path in site.glob("*.html")}
    results = {path.stem for path in ROOT.glob("benchmarks/results/*.md")}
    assert results == {path.stem for path in site.glob("results/*.html")}


def test_nothing_comes_from_another_host(site):
    pages = sorted(site.rglob("*.html"))
    styles = sorted(site.rglob("*.css"))
    assert pages
    assert styles
    found = {path.name: foreign(Loads(path.read_text(encoding="utf-8")).found) for path in pages}
    found |= {path.name: foreign(from_css(path.read_text(encoding="utf-8"))) for path in styles}
    assert not any(found.values()), {name: addresses for name, addresses in found.items() if addresses}


def test_a_foreign_address_is_found():
    page = '<script src="https://a.org/x.js"></script><img srcset="//b.org/y.png 2x"><style>@import "https://c.org/z"</style>'
    assert foreign(Loads(page).found) == ["https://a.org/x.js", "//b.org/y.png", "https://c.org/z"]
    assert foreign(Loads('<img src="x.png"><a href="https://a.org">').found) == []


def test_links_between_texts_are_links_between_pages(site):
    home = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="training.html"' in home
    assert 'href="results/ean.html"' in home
    assert 'href="weights.html"' in home
    assert 'href="files/LICENSE"' in home
    assert (site / "files/LICENSE").exists()


def test_the_reference_is_made_from_docstrings(site):
    text = (site / "api.html").read_text(encoding="utf-8")
    assert 'id="gluon_attn.get_model"' in text
    assert 'id="gluon_attn.train"' in text
    assert inspect.getdoc(gluon_attn.get_model).partition("`")[0].split("\n")[0].strip() in text


def test_the_search_knows_the_pages(site):
    assert "Coordinate attention" in (site / "search/search_index.js").read_text(encoding="utf-8")
