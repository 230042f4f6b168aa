"""Writes what the texts repeat from the code: the tables of attentions, models and published
networks, and docs/attentions.md.

    python docs/generate.py

A table stands between `<!-- NAME -->` and `<!-- end of NAME -->`; a test says when one is out of date.
"""

import inspect
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from gluon_attn import get_model, list_attentions, list_models  # noqa: E402
from gluon_attn.analyze.cost import cost  # noqa: E402
from gluon_attn.analyze.paper_figures import PUBLISHED  # noqa: E402
from gluon_attn.attention.base import ATTENTIONS  # noqa: E402
from gluon_attn.models.catalogue import catalogue, shipped  # noqa: E402
from gluon_attn.models.factory import model_info  # noqa: E402
from gluon_attn.runs.describe import describe_attention  # noqa: E402

PLACES = {
    "post": "end of the residual branch",
    "act": "instead of the activation",
    "conv": "instead of the 3x3 convolution",
    "stage": "after a stage",
}
LARGE = "16x256x56x56"
KNOWN = {
    "se", "eca", "cbam", "bam", "sge", "cha_atac", "triplet", "ge_theta_plus", "a2", "coord", "simam", "gc", "sk",
    "split",
}  # fmt: skip
HEAD = (
    "# Attentions\n\nWhat each one computes, its options with their defaults, and the paper. "
    "`get_attention(NAME, channels, **options)` makes one; `--attention NAME` puts it where it belongs, a "
    "[plan](models-and-attentions.md#plans) anywhere. This page is made from the docstrings by `docs/generate.py`.\n"
)


def attentions_table():
    """A row for each attention: weights, place, paper."""
    lines = ["| name | weights at 64 channels | sits | paper |", "|---|---:|---|---|"]
    for name in list_attentions():
        row = describe_attention(name)
        title, link = _title(row["summary"])
        lines.append(
            f"| [`{name}`](docs/attentions.md#{name}) | {row['weights']:,} | {PLACES[row['slot']]} | "
            f"{f'[{title}]({link})' if link else title} |"
        )
    return "\n".join(lines)


def models_table():
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


def results(name):
    """Rows of a table in benchmarks/results, as cells."""
    lines = (ROOT / f"benchmarks/results/{name}.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return rows[1:]


def gates_table():
    """Forward and backward of gates and reductions at the large shape."""
    lines = ["| operation | plain | fast | compiled |", "|---|---:|---:|---:|"]
    rows = [row for row in results("gating") if row[1] == LARGE]
    return "\n".join([*lines, *(f"| `{row[0]}` | {' | '.join(row[5:8])} |" for row in rows)])


def peers_table():
    """Forward and backward of well-known attentions against PyTorch at the large shape, and in a whole network."""
    lines = ["| attention | ours, ms | PyTorch, ms | ratio | step of ResNet-50, ratio |", "|---|---:|---:|---:|---:|"]
    steps = {row[0]: row[5] for row in results("overhead")}
    rows = [row for row in results("attention") if row[1] == LARGE and row[0] in KNOWN]
    return "\n".join([*lines, *(f"| `{row[0]}` | {' | '.join(row[5:8])} | {steps[row[0]]} |" for row in rows)])


def published_table():
    """The networks of the project's own catalogue."""
    lines = ["| name | network | test accuracy | MB | log |", "|---|---|---:|---:|---|"]
    for name, entry in sorted(catalogue().items()):
        if entry.home == str(shipped()):
            size, log = entry.path().stat().st_size / 1e6, f"[log]({entry.log})"
            lines.append(f"| `{name}` | {entry.purpose()} | {entry.score_text()} | {size:.2f} | {log} |")
    return "\n".join(lines)


def attentions_page():
    """The docstrings of all attentions as one page."""
    parts = [HEAD]
    for name in list_attentions():
        text = inspect.getdoc(ATTENTIONS.get(name))
        other = ", ".join(f"`{alias}`" for alias in ATTENTIONS.aliases(name))
        parts.append(f"## {name}\n\n{_escaped(text)}\n" + (f"\nAlso called {other}.\n" if other else ""))
    return "\n".join(parts)


def replaced(text, name, table):
    """`text` with the table called `name` put in."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if start not in text or end not in text:
        raise ValueError(f"there is no place for the table {name}: put {start} and {end} into the text")
    return text.partition(start)[0] + f"{start}\n\n{table}\n\n{end}" + text.partition(end)[2]


def replaced_all(text, tables):
    """`text` with all of the tables put in."""
    for name, table in tables.items():
        text = replaced(text, name, table)
    return text


def files():
    """Path -> what it should hold."""
    readme, models = ROOT / "README.md", ROOT / "docs/models-and-attentions.md"
    params = ROOT / "params/README.md"
    return {
        readme: replaced_all(
            readme.read_text(encoding="utf-8"),
            {"attentions": attentions_table(), "gates": gates_table(), "peers": peers_table()},
        ),
        models: replaced(models.read_text(encoding="utf-8"), "models", models_table()),
        params: replaced(params.read_text(encoding="utf-8"), "published", published_table()),
        ROOT / "docs/attentions.md": attentions_page(),
    }


def _title(summary):
    """(text, link) of a docstring's first line."""
    title, _, link = summary.rpartition(", http")
    return (title, f"http{link}") if title else (summary, None)


def _escaped(text):
    """Docstring as Markdown: a formula's stars and underscores stay what they are."""
    parts = re.split(r"(`[^`]*`)", text)  # what stands in backquotes is as it is
    parts[::2] = [re.sub(r"([*_<])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
