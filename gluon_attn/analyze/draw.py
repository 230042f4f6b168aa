"""Pictures of searched cells, laid out by Graphviz."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..genotypes.attention import AttentionGenotype, attention_genotype
from ..genotypes.cell import CELL_NAMES, CELL_TITLES, CellEdges, CellGenotype, cell_genotype
from ..genotypes.files import published, read_genotype
from ..utils.errors import UserError
from ..utils.files import write_bytes

Genotype = CellGenotype | AttentionGenotype

FORMATS = ("png", "svg", "pdf")
_INSTALL = "pictures of cells need Graphviz: apt-get install graphviz, brew install graphviz, or graphviz.org"
_STYLE = (
    'rankdir=LR; fontname="Helvetica"; '
    'node [shape=box, style="rounded,filled", fontname="Helvetica", penwidth=0, fillcolor="#cfe3f1", '
    'fontcolor="#1c2430"]; '
    'edge [color="#555555"];'
)
_LABEL = 'shape=plaintext, style="", fontsize=11, fontcolor="black", width=0, height=0, margin="0.05,0.02"'
_INPUT, _OUTPUT = "#d5ead0", "#f6e3b4"


def missing() -> str | None:
    """Why no cell can be drawn here, or None."""
    return None if shutil.which("dot") else _INSTALL


def open_genotype(name: str) -> Genotype:
    """Open a genotype.

    Args:
        name: A published name, such as Att_DARTS, `Genotype(...)` as text, or a file that holds one.

    Raises:
        UserError: It is neither, or the file holds no genotype.
    """
    cells, attentions = published(CELL_NAMES[0]), published("attention")
    data = None if name in (*cells, *attentions) else read_genotype(name)
    if data is None and name not in (*cells, *attentions):
        known = ", ".join([*cells, *attentions])
        raise UserError(f"unknown genotype {name!r}: give {known}, Genotype(...) as text, or a file with one")
    is_attention = isinstance(data, dict) and ("att" in data or "attention" in (data.get("cells") or ()))
    # `cell_genotype` says what is wrong with a file that holds neither
    return attention_genotype(name) if name in attentions or is_attention else cell_genotype(name)


def draw(genotype: Genotype, path: str | Path) -> None:
    """Draw a genotype into a PNG, SVG or PDF file, by the ending of `path`.

    Args:
        genotype: The genotype.
        path: File to write.

    Raises:
        UserError: The path has another ending, or Graphviz is missing or fails.
    """
    suffix = Path(path).suffix[1:].lower()
    if suffix not in FORMATS:
        raise UserError(f"a picture is a file ending in {', '.join(f'.{name}' for name in FORMATS)}, got {path}")
    write_bytes(path, _laid_out(genotype, suffix))


def cells_svg(genotype: Genotype) -> str:
    """A picture of a genotype as SVG text for a page, in the page's text colour.

    Raises:
        UserError: Graphviz is missing or fails.
    """
    text = _laid_out(genotype, "svg", "-Gbgcolor=transparent").decode()
    return re.sub(' id="[^"]*"', "", "<svg" + text.partition("<svg")[2])  # a page may have several


def _laid_out(genotype: Genotype, kind: str, *options: str) -> bytes:
    lack = missing()
    if lack:
        raise UserError(lack)
    command = ["dot", f"-T{kind}", *(["-Gdpi=120"] if kind == "png" else []), *options]
    done = subprocess.run(command, input=to_dot(genotype).encode(), capture_output=True, check=False)
    if done.returncode:
        raise UserError(f"Graphviz failed: {done.stderr.decode(errors='replace').strip().splitlines()[-1:]}")
    return done.stdout


def to_dot(genotype: Genotype) -> str:
    """The picture of `genotype` in Graphviz's DOT language."""
    if isinstance(genotype, CellGenotype):
        # Graphviz draws the first part lowest
        parts = [
            _part(name, title, _cell(getattr(genotype, name), name)) for name, title in reversed(CELL_TITLES.items())
        ]
    else:
        parts = [_part("attention", "attention", _attention(genotype))]
    return "\n".join(["digraph {", _STYLE, *parts, "}"])


def _part(name: str, title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"subgraph cluster_{name} {{", f'label={_text(title)}; color="#bbbbbb";', *lines, "}"])


def _cell(cell: CellEdges, prefix: str) -> Iterator[str]:
    """Lines of one `CellEdges`."""
    names = ["cell k-2", "cell k-1", *(f"node {i + 1}" for i in range(cell.nodes))]
    for i, label in enumerate(names):
        yield _node(f"{prefix}{i}", label, _INPUT if i < 2 else None)
    for number, (first, source, second) in enumerate(cell.edges):
        yield _edge(f"{prefix}{source}", f"{prefix}{2 + number // 2}", f"{prefix}edge{number}", first, second)
    joined = f"{prefix}joined" if cell.bottleneck else f"{prefix}out"
    if cell.bottleneck:
        yield _node(joined, "concatenation", None)
        yield _edge(joined, f"{prefix}out", f"{prefix}bottleneck", cell.bottleneck)
    yield _node(f"{prefix}out", "cell k", _OUTPUT)
    for node in cell.concat:
        yield _edge(f"{prefix}{node}", joined)


def _attention(genotype: AttentionGenotype) -> Iterator[str]:
    """Lines of an `AttentionGenotype`, whose two inputs are one."""
    yield _node("in", "input", _INPUT)
    for i in range(genotype.nodes):
        yield _node(f"n{i + 2}", f"node {i + 1}", None)
    for number, (name, source) in enumerate(genotype.att):
        yield _edge(f"n{source}" if source > 1 else "in", f"n{2 + number // 2}", f"edge{number}", name)
    yield _node("gate", "sigmoid of the sum", None)
    for i in range(genotype.nodes):
        yield _edge(f"n{i + 2}", "gate")
    yield _node("out", "input x gate", _OUTPUT)
    yield _edge("gate", "out")
    yield _edge("in", "out")


def _node(name: str, label: str, colour: str | None) -> str:
    return f"{name} [label={_text(label)}{f', fillcolor={_text(colour)}' if colour else ''}];"


def _edge(start: str, end: str, name: str = "", *labels: str) -> str:
    """An edge; with labels, a node `name` of text alone in its middle, as Graphviz draws over the labels of edges."""
    label = "\n".join(part for part in labels if part)
    if not label:
        return f"{start} -> {end};"
    node = f"{name} [label={_text(label)}, {_LABEL}];"
    return f"{node} {start} -> {name} [arrowhead=none]; {name} -> {end};"


def _text(value: str) -> str:
    """A quoted string; names come from files and are escaped."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
