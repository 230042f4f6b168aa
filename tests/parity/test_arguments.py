"""The table of the reference classes' arguments (docs/references.md) names every one, and only what exists here."""

import inspect
import re
from pathlib import Path

import pytest
from golden import read_index

from gluon_attn import get_attention, get_model, list_models
from gluon_attn.attention.factory import ATTENTIONS, attention_options
from gluon_attn.cli.search import search_parser
from gluon_attn.cli.train import script_parser
from gluon_attn.models.factory import model_info

ROOT = Path(__file__).resolve().parents[2]
#: what cases say beside the arguments of a class: which class, operation, stage or repository is meant
OF_CASES = {"cls", "fn", "op", "kind", "repo", "stage", "supply_F"}
FUNCTIONS = {"get_model": get_model, "get_attention": get_attention}
WORDS = r"`[\w-]+`(?:, `[\w-]+`)*"


def rows():
    """(arguments, text of the third column) of each row."""
    text = (ROOT / "docs" / "references.md").read_text(encoding="utf-8").partition("## Arguments of the")[2]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if "|" in line]
    return [(re.findall(r"`(\w+)`", row[1]), row[2]) for row in cells[2:] if len(row) == 3 and row[1]]


def known_options(owner):
    """Names of the options of a model, an attention or a function."""
    if owner in FUNCTIONS:
        return set(inspect.signature(FUNCTIONS[owner]).parameters)
    if owner in ATTENTIONS.names():
        return set(attention_options(owner))
    assert owner in list_models(), owner
    return set(model_info(owner).options())


def mapped():
    """The arguments that the builders read."""
    found = set()
    for path in Path(__file__).parent.glob("*_builds.py"):
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r'args\.(?:pop|get)\("(\w+)"', text))
        found |= {name for line in re.findall(r"fixed\(args, (.*)\)", text) for name in re.findall(r"\b(\w+)=", line)}
        found |= {
            name for line in re.findall(r"renamed\(args, \{(.*)\}", text) for name in re.findall(r'"(\w+)": "', line)
        }
    return found


def test_every_argument_is_in_the_table():
    listed = {name for names, _ in rows() for name in names}
    asked = {name for case in read_index() for name in case.args}
    assert asked | mapped() <= listed | OF_CASES
    assert {"deep_stem", "width_mult", "k_size", "useReLU"} <= mapped()


@pytest.mark.parametrize(("names", "here"), rows(), ids=lambda value: value[0] if isinstance(value, list) else "")
def test_every_counterpart_exists(names, here):
    assert names
    assert here.startswith("none") or re.search(rf"{WORDS} of `|`--", here), here
    for options, owners in re.findall(rf"({WORDS}) of ({WORDS})", here):
        for owner in re.findall(r"`(\w+)`", owners):
            assert set(re.findall(r"`(\w+)`", options)) <= known_options(owner), (owner, here)


def test_every_flag_exists():
    flags = {flag for _, here in rows() for flag in re.findall(r"`(--[\w-]+)`", here)}
    parsers = [
        *map(script_parser, ("train_cifar.py", "train_coco.py")),
        *(search_parser(kind) for kind in ("att-darts", "anas", "ean")),
    ]
    known = {flag for parser in parsers for action in parser._actions for flag in action.option_strings}
    assert {"--nodes", "--location"} <= flags <= known
