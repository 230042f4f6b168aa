"""MkDocs hook: texts that stand outside docs/ become pages, and links between texts work on GitHub and on the site.

A text links to files of the repository, relative to itself, as GitHub needs it. Here such a link becomes one to the
page of that text; a file that is no page (a program, a log, the license) is copied to files/ on the site.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
#: text in the repository -> page of the site; those in docs/ keep their names
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "params/README.md": "weights.md",
    **{
        path.relative_to(ROOT).as_posix(): f"results/{path.name}"
        for path in sorted(ROOT.glob("benchmarks/results/*.md"))
    },
}
_SOURCES = {page: source for source, page in PAGES.items()}
_FENCED = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def on_files(files, config):
    """Add the pages whose texts stand outside docs/."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Turn links to files of the repository into links of the site."""
    here = page.file.src_uri
    source = _SOURCES.get(here, f"docs/{here}")

    def link(match):
        target = _on_site(match[2], source, config, files)
        return f"{match[1]}{target if target is None else _relative(target, here)}{match[3]}" if target else match[0]

    parts = _FENCED.split(markdown)  # code is as it is
    parts[::2] = [_LINK.sub(link, part) for part in parts[::2]]
    return "".join(parts)


def on_page_content(html, page, config, files):
    """Mark short code, a flag for example, so that no line ends inside it."""
    return re.sub(r"<code>(?=[^<]{1,24}</code>)", '<code class="short">', html)


def _on_site(target, source, config, files):
    """Path on the site, with anchor, of a link in a text; None for one to another host or inside the page."""
    path, mark, anchor = target.partition("#")
    if not path or re.match(r"[a-z]+:", target):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    if path in PAGES:
        return PAGES[path] + mark + anchor
    if path.startswith("docs/"):
        return path[len("docs/") :] + mark + anchor
    if (ROOT / path).is_file() and files.get_file_from_path(f"files/{path}") is None:
        files.append(File.generated(config, f"files/{path}", abs_src_path=str(ROOT / path)))
    return f"files/{path}{mark}{anchor}"


def _relative(target, here):
    return posixpath.relpath(target, posixpath.dirname(here) or ".")
