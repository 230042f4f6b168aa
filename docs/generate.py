"""Writes what the texts repeat from the code and from benchmarks/results: docs/attentions.md, the tables of models,
published networks and results, and the README's numbers of attentions and models.

    python docs/generate.py [FILE...]

Without FILE all of them are written, which takes half a minute. A table stands between `<!-- NAME -->` and
`<!-- end of NAME -->`; a test says when one is out of date.
"""

import inspect
import re
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]  # a clone that is not installed works, too

from readme_table import results_table  # noqa: E402
from result_tables import TABLES as RESULT_TABLES  # noqa: E402

from gluon_attn import get_model, list_attentions, list_models  # noqa: E402
from gluon_attn.analyze.cost import cost  # noqa: E402
from gluon_attn.analyze.paper_figures import PUBLISHED  # noqa: E402
from gluon_attn.attention.base import ATTENTIONS  # noqa: E402
from gluon_attn.attention.factory import identity_attentions  # noqa: E402
from gluon_attn.convert.library_weights import NETWORKS  # noqa: E402
from gluon_attn.models.catalogue import catalogue, shipped  # noqa: E402
from gluon_attn.models.factory import model_info  # noqa: E402
from gluon_attn.runs.describe import describe_attention  # noqa: E402

HEAD = """# Attentions

All attentions; each name leads to its formula, options and defaults. `get_attention(NAME, channels, **options)` makes \
one, `--attention NAME` puts it into its slot, a [plan](models-and-attentions.md#plans) anywhere. Input and output are \
N,C,H,W of the same shape.

Slots: `post`, at the end of the residual branch; `act`, in place of the activation; `conv`, in place of the 3x3 \
convolution; `stage`, after a stage. Weights are counted at 64 channels of 32x32. Identity: whether \
[`--attention-start identity`](training.md#a-new-attention-on-a-pretrained-network) takes it.

{table}

This page is made from the docstrings by `docs/generate.py`.
"""
#: section of a Google docstring -> its title on the page
SECTIONS = {"Args": "Options", "Note": "Note", "Notes": "Notes", "Returns": "Returns", "Raises": "Errors"}
_SECTION = re.compile(r"^(\w+):\n((?:(?:[ \t].*)?\n?)+)", re.MULTILINE)


def attentions_table() -> str:
    """A row for each attention: weights, slot, paper, whether it can start without effect."""
    lines = ["| name | paper | slot | identity | weights |", "|---|---|---|---|---:|"]
    without_effect = identity_attentions()
    for name in list_attentions():
        row = describe_attention(name)
        title, link = _title(inspect.getdoc(ATTENTIONS.get(name)))
        paper = f"[{title}]({link})" if link else title
        start = "yes" if name in without_effect else ""
        lines.append(f"| [`{name}`](#{name}) | {paper} | `{row['slot']}` | {start} | {row['weights']:,} |")
    return "\n".join(lines)


def models_table() -> str:
    """A row for each model at the size and number of classes it was made for: parameters, MACs, published ones."""
    lines = ["| name | classes | input | params | MACs | published |", "|---|---:|---:|---:|---:|---|"]
    for name in list_models():
        info = model_info(name)
        counted = cost(get_model(name, info.classes), (3, info.input_size, info.input_size))
        printed = PUBLISHED[name].printed if name in PUBLISHED else ""
        lines.append(
            f"| `{name}` | {info.classes} | {info.input_size} | {counted.params:,} | {counted.macs:,} | {printed} |"
        )
    return "\n".join(lines)


def published_table() -> str:
    """The networks of the project's own catalogue."""
    lines = ["| name | network | test accuracy | MB | log |", "|---|---|---:|---:|---|"]
    for name, entry in sorted(catalogue().items()):
        if entry.home == str(shipped()):
            size, log = entry.path().stat().st_size / 1e6, f"[log]({entry.log})"
            lines.append(f"| `{name}` | {entry.purpose()} | {entry.score_text()} | {size:.2f} | {log} |")
    return "\n".join(lines)


def libraries_table() -> str:
    """The networks of other libraries whose weights come by name."""
    rows = ["| library | names |", "|---|---|"]
    rows += [f"| {library} | {', '.join(f'`{name}`' for name in names)} |" for library, names in NETWORKS.items()]
    return "\n".join(rows)


def attentions_page() -> str:
    """The table of the attentions, and their docstrings."""
    parts = [HEAD.format(table=attentions_table())]
    for name in list_attentions():
        text = inspect.getdoc(ATTENTIONS.get(name)) or ""
        other = ", ".join(f"`{alias}`" for alias in ATTENTIONS.aliases(name))
        parts.append(f"## {name}\n\n{markdown(text)}\n" + (f"\nAlso called {other}.\n" if other else ""))
    return "\n".join(parts)


def markdown(docstring: str) -> str:
    """A docstring in Google's form as Markdown: the arguments as a list, the rest as it is."""

    def section(match):
        if match[1] not in SECTIONS:
            return match[0]
        body = inspect.cleandoc(match[2])
        if match[1] != "Args":
            return f"{SECTIONS[match[1]]}: {body}\n\n"
        items = re.split(r"\n(?=\S)", body)
        bullets = (re.sub(r"^(\w+)", r"`\1`", " ".join(item.split()), count=1) for item in items)
        return f"{SECTIONS[match[1]]}:\n\n" + "".join(f"- {bullet}\n" for bullet in bullets) + "\n"

    return _escaped(_SECTION.sub(section, docstring + "\n").rstrip())


def replaced(text: str, name: str, table: str) -> str:
    """`text` with the table called `name` put in."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if start not in text or end not in text:
        raise ValueError(f"there is no place for the table {name}: put {start} and {end} into the text")
    return text.partition(start)[0] + f"{start}\n\n{table}\n\n{end}" + text.partition(end)[2]


def replaced_all(text: str, tables: dict[str, str]) -> str:
    """`text` with all of the tables put in."""
    for name, table in tables.items():
        text = replaced(text, name, table)
    return text


def counted(text: str) -> str:
    """`text` with the numbers of attentions and models that there are."""
    return re.sub(
        r"\d+ attentions, \d+ models", f"{len(list_attentions())} attentions, {len(list_models())} models", text
    )


#: file -> name of each table in it -> what makes it
TABLES = {
    "README.md": {"results": results_table},
    "docs/results.md": RESULT_TABLES,
    "docs/models.md": {"models": models_table},
    "params/README.md": {"published": published_table, "libraries": libraries_table},
}
PAGE = "docs/attentions.md"
FILES = (PAGE, *TABLES)


def files(names: Sequence[str] = FILES) -> dict[Path, str]:
    """Path -> what it should hold, of the files with these names."""
    texts = {ROOT / PAGE: attentions_page()} if PAGE in names else {}
    for name in (one for one in TABLES if one in names):
        text = (ROOT / name).read_text(encoding="utf-8")
        made = replaced_all(text, {key: make() for key, make in TABLES[name].items()})
        texts[ROOT / name] = counted(made) if name == "README.md" else made
    return texts


def _title(docstring):
    """(text, link) of a docstring's first paragraph: its first line without the paper's address, and that address."""
    first = docstring.partition("\n\n")[0]
    found = re.search(r"https?://[^\s)>]*[^\s)>.,;]", first)
    title = first.split("\n")[0].replace(found[0] if found else "", "")
    title = re.sub(r"; \w+ is\s*$", "", title.strip(" .,;()")).strip(" .,;()")
    return title, found and found[0]


def _escaped(text):
    """Markdown in which a formula's stars and underscores stay what they are, and an address is a link."""
    parts = re.split(r"(`[^`]*`|https?://[^\s)>]*[^\s)>.,;])", text)  # code and addresses are as they are
    parts[::2] = [re.sub(r"([*_<])", r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [part if part.startswith("`") else f"<{part}>" for part in parts[1::2]]
    return "".join(parts)


if __name__ == "__main__":
    unknown = set(sys.argv[1:]) - set(FILES)
    if unknown:
        sys.exit(f"{', '.join(sorted(unknown))}: not made here; FILE is one of {', '.join(FILES)}")
    for path, text in files(sys.argv[1:] or FILES).items():
        path.write_text(text, encoding="utf-8")
