"""The help of every command: short, with examples that parse; --help-all has everything."""

import argparse
import re
import shlex

import pytest
from command_lines import COMMANDS, PATHS

from gluon_attn.cli import main, search, train_cifar, train_coco, train_imagenet
from gluon_attn.cli.help import OTHER_SPELLINGS, Start, help_text, own_name, spellings
from gluon_attn.cli.main import COMMANDS as SUBCOMMANDS
from gluon_attn.cli.parser import Parser
from gluon_attn.cli.search import SEARCHES
from gluon_attn.cli.starts import STARTS

SCRIPTS = {"train_cifar.py": train_cifar, "train_imagenet.py": train_imagenet, "train_coco.py": train_coco}
#: what is typed -> (entry point, its words)
PROGRAMS = {
    **{name: (script, []) for name, script in SCRIPTS.items()},
    **{f"gluon-attn {name}": (main, [name]) for name in SUBCOMMANDS},
    **{f"search.py {name}": (search, [name]) for name in SEARCHES},
    **{f"gluon-attn search {name}": (main, ["search", name]) for name in SEARCHES},
    "search.py ean --all": (search, ["ean", "--all"]),
    "gluon-attn train --task detection": (main, ["train", "--task", "detection"]),
    "gluon-attn": (main, []),
    "search.py": (search, []),
}


@pytest.fixture(autouse=True)
def width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def printed(capsys, program, word):
    """What a program prints with --help or --help-all."""
    entry, words = PROGRAMS[program]
    assert entry([*words, word]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_is_short_and_begins_with_examples(capsys, program):
    text = printed(capsys, program, "--help")
    assert text.startswith(f"usage: {'train_coco.py' if 'detection' in program else program}")
    assert text.count("\n") < 60
    assert "--no-no" not in text
    if program not in ("gluon-attn", "gluon-attn search", "search.py"):  # which list their commands
        assert 0 < text.index("\nexample") < text.index("options:\n")


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_all_describes_everything(capsys, program):
    text = printed(capsys, program, "--help-all")
    assert "--help-all" in text
    assert "more options" not in text
    assert "--no-no" not in text


def test_spellings_of_other_repositories_are_in_help_all_alone(capsys):
    short, everything = (printed(capsys, "train_cifar.py", word) for word in ("--help", "--help-all"))
    for flag in ("epochs", "batchsz", "learning-rate", "useReLU", "use-se", "manualSeed", "no-cuda"):
        assert re.search(rf"(--|\])\b{flag}\b", everything)
        assert not re.search(rf"(--|\])\b{flag}\b", short)
    for flag in ("--cutout", "--no-wd", "--plan", "--ema"):
        assert f" {flag}" in short


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_every_flag(name):
    """Either it describes a flag, or it names it; --help-all describes it in all its spellings."""
    parser = COMMANDS[name].parser()
    short, everything = parser.format_help(), help_text(parser, parser.start, everything=True)
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or not action.option_strings or "--help-all" in action.option_strings:
            continue
        assert all(word in everything for word in spellings(action, everything=True))
        named = re.search(rf"(--|\])\b{own_name(action)[2:]}\b", short)
        assert bool(named) != (action.dest in OTHER_SPELLINGS), own_name(action)


@pytest.mark.parametrize("name", COMMANDS)
def test_usual_flags_exist_and_examples_parse(name, monkeypatch):
    """An example with a plugin is parsed without loading it."""
    monkeypatch.setattr("gluon_attn.plugins.load_plugin", lambda name: None)
    parser, start = COMMANDS[name].parser(), STARTS[name]
    assert set(start.usual) <= {action.dest for action in parser._actions}
    assert start.examples
    for example in start.examples:
        words = shlex.split(example)
        chain = ["--all"] * ("--all" in words)
        parser = COMMANDS["ean --all"].parser() if chain else parser
        assert parser.parse_args([word for word in words if word not in chain])


def test_own_spelling():
    parser = Parser(prog="tool", start=Start(("--size 3",), ("size",)))
    parser.add_argument("-s", "-size", "--size", "--theSize", metavar="N", help="how large")
    parser.add_argument("--other", nargs="+", metavar="N", help="another")
    parser.add_argument("files", nargs="*", metavar="IMAGE", help="images")
    text = parser.format_help()
    assert text.startswith(
        "usage: tool [options] [IMAGE ...]\n\nexample:\n  tool --size 3\n\narguments:\n  IMAGE  images"
    )
    assert "usual options:\n  -s, --size N  how large\n" in text
    assert text.endswith("more options, which --help-all describes:\n  general: --help --help-all --plugin --other\n")
    assert "  -s, -size, --size, --theSize N\n" in help_text(parser, parser.start, everything=True)
    assert "IMAGE" in PATHS
