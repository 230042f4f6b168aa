"""Command lines from option groups."""

from dataclasses import dataclass

import pytest

from gluon_attn.cli.flags import make_parser, parse
from gluon_attn.cli.help import Start, help_text
from gluon_attn.config.base import Config, option
from gluon_attn.config.train import RunConfig


@dataclass(frozen=True)
class Part(Config):
    """A group."""

    size: int = option(3, "how large, in %", flags=("-s", "--theSize"))
    steps: tuple[int, ...] = option((1, 2), "when")
    on: bool = option(False, "whether")
    extra: dict = option({}, "more", metavar="NAME=VALUE")
    way: str = option("a", "how", choices=("a", "b"))
    no_end: bool = option(False, "whether not", flags=("--noEnd",))
    codes: tuple[int, ...] | None = option(None, "some", several=True)


@dataclass(frozen=True)
class Whole(Config):
    """All groups."""

    part: Part = option(Part(), "the part")


def read(*argv, defaults=None):
    return parse(make_parser("prog", "text", Whole, defaults or {}), argv, Whole, defaults)


def test_only_what_was_given_is_in_the_result():
    assert (read().given, read().recipe) == ({}, {})
    assert read("-s", "7", "--no-on").given == {"part": {"size": "7", "on": False}}


@pytest.mark.parametrize("spelling", ["--size", "-s", "--theSize"])
def test_every_spelling_means_the_same(spelling):
    assert read(spelling, "5").config().part.size == 5


def test_underscores_are_dashes():
    given = parse(make_parser("prog", "text", RunConfig, {}), ["--num_epochs=7", "--batch_size", "9"]).given
    assert given == {"train": {"num_epochs": "7"}, "data": {"batch_size": "9"}}


@pytest.mark.parametrize(
    ("word", "name", "value"),
    [
        ("--on", "on", True), ("--no-on", "on", False),
        ("--no-end", "no_end", True), ("--no-no-end", "no_end", False),
        ("--noEnd", "no_end", True), ("--no-noEnd", "no_end", False),
    ],
)  # fmt: skip
def test_switches(word, name, value):
    """Also one whose own name begins with no."""
    assert read(word).given == {"part": {name: value}}


def test_several_values_as_words():
    assert read("--codes", "7", "15", "--on").config().part.codes == (7, 15)


def test_lists_and_pairs(capsys):
    config = read("--steps", "4,5", "--extra", "a=1", "b=x", "c=0.5").config()
    assert config.part.steps == (4, 5)
    assert config.part.extra == {"a": 1, "b": "x", "c": 0.5}
    pairs = read("--extra", "a=1,2", "b=[3,4]", "c=0.5,-1e-3", "d=x,1", "e=1,").config().part.extra
    assert pairs == {"a": [1, 2], "b": [3, 4], "c": [0.5, -1e-3], "d": "x,1", "e": "1,"}
    for word, problem in (("a", "expected NAME=VALUE, got 'a'"), ("a=[1", "the value of a is no valid YAML: '[1'")):
        with pytest.raises(SystemExit) as stopped:
            read("--extra", word)
        assert stopped.value.code == 2
        assert f"argument --extra: {problem}" in capsys.readouterr().err


def test_flags_win_over_the_recipe_and_the_recipe_over_defaults(tmp_path):
    (tmp_path / "r.yaml").write_text("part: {size: 5, way: b}")
    options = read("--config", str(tmp_path / "r.yaml"), "--size", "6", defaults={"part": {"steps": [9]}})
    assert options.config() == Whole(Part(size=6, steps=(9,), way="b"))


def test_help_shows_groups_and_defaults():
    text = " ".join(make_parser("prog", "text", Whole, {"part": {"size": 8}}).format_help().split())
    assert "usage: prog [options]" in text
    assert "the part: -s, --size N how large, in % (default 8)" in text
    assert "--way {a,b} how (default a)" in text
    assert "--[no-]on whether --extra NAME=VALUE ... more" in text
    assert "--no-end whether not" in text
    assert "--steps N,N when (default 1,2)" in text


def test_every_flag_of_a_run_has_help_and_one_meaning():
    parser = make_parser("train_cifar.py", "text", RunConfig, {})  # a flag in two groups would raise
    text = help_text(parser, Start(), everything=True)
    for flag in ("--lr-decay-epoch", "[no-]useReLU", "[no-]useGlobal", "--save-plot-dir", "--resume-from", "-j"):
        assert flag in text
