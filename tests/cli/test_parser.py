"""One-line errors of the argument parser."""

import contextlib

import pytest

from gluon_attn.cli import main
from gluon_attn.cli.parser import Parser, suggestion
from gluon_attn.cli.spelling import OF_TIMM


@pytest.fixture
def parser():
    parser = Parser(prog="tool")
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--mode", choices=["hybrid", "imperative"])
    parser.add_argument("--vary", action="append", default=[])
    parser.add_argument("images", nargs="?")
    return parser


def test_good_flags(parser):
    parsed = parser.parse_args(["--batch-size", "4", "--mode=hybrid", "x.png"])
    assert (parsed.batch_size, parsed.mode, parsed.images, parsed.vary) == (4, "hybrid", "x.png", [])
    assert parser.parse_args(["--vary", "a=1", "--vary", "b=2"]).vary == ["a=1", "b=2"]


def test_two_dashes_as_a_value_are_one_line_or_the_value(parser, capsys):
    """From Python 3.13 on they are the value."""
    with contextlib.suppress(SystemExit):
        assert parser.parse_args(["--vary=--"]).vary == ["--"]
    said = capsys.readouterr().err
    assert said in ("", "error: argument --vary: expected one argument; see tool --help\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--bach-size", "4"], "unknown option --bach-size, did you mean --batch-size?; see tool --help"),
        (["--bach-size=4"], "unknown option --bach-size, did you mean --batch-size?"),
        (["--batch", "4"], "unknown option --batch"),  # no abbreviations
        (["--zzz"], "unknown option --zzz; see tool --help"),
        (["a", "b"], "unexpected argument 'b'"),
        (["--batch-size", "many"], "invalid int value: 'many'"),
        (["--batch-size"], "expected one argument"),
        (["--mode=--"], "argument --mode: "),  # expected one argument, or from Python 3.13 on an invalid choice
        (["--mode", "fast"], "invalid choice: 'fast'"),
    ],
)
def test_a_mistake_is_one_line_and_code_2(parser, capsys, arguments, said):
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(arguments)
    printed = capsys.readouterr()
    assert caught.value.code == 2
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    assert said in printed.err


def test_suggestion():
    assert suggestion("docter", ["doctor", "models"]) == ", did you mean doctor?"
    assert suggestion("zzz", ["doctor", "models"]) == ""


@pytest.mark.parametrize("flag", OF_TIMM)
def test_flags_of_timm_lead_to_ours(flag, capsys):
    assert main(["train", flag, "1"]) == 2
    assert f"unknown option {flag}, did you mean {OF_TIMM[flag]}?" in capsys.readouterr().err
