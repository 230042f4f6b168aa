"""The texts of the project, and what stands in them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "params/README.md",
    *(f"docs/{p.name}" for p in sorted(ROOT.glob("docs/*.md"))),
]
RECIPES = sorted(f"configs/{path.name}" for path in ROOT.glob("configs/*.yaml"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
#: the installed forms of the scripts
INSTALLED = {"gluon-attn train": "python train_cifar.py", "gluon-attn search": "python search.py"}


def blocks(name, language):
    """The code blocks of one language in a text."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def commands(start):
    """(text, line) of every command line in the texts and recipes that begins with `start`, as its script has it."""
    shell = [(name, block) for name in TEXTS for block in blocks(name, "bash")]
    headers = [(name, (ROOT / name).read_text(encoding="utf-8")) for name in RECIPES]
    lines = [(name, line.lstrip("# ")) for name, text in shell + headers for line in text.splitlines()]
    return [(name, line) for name, line in map(as_script, lines) if line.startswith(start)]


def as_script(pair):
    """(text, line) with `gluon-attn train` and `gluon-attn search` written as the scripts that they are."""
    name, line = pair
    for installed, script in INSTALLED.items():
        if re.match(rf"{installed}\b", line):
            line = line.replace(installed, script, 1)
    return name, line
