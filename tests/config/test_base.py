"""Options: conversion, checks, unknown keys, nesting, and the way to plain data and back."""

from dataclasses import FrozenInstanceError, dataclass
from typing import ClassVar

import numpy as np
import pytest
import yaml

from gluon_attn.config.base import Config, above, at_least, between, field_types, option
from gluon_attn.utils.errors import UserError


@dataclass(frozen=True)
class Inner(Config):
    word: ClassVar[str] = "of the class, no option"
    rate: float = option(0.1, "a rate", check=above(0))
    steps: tuple[int, ...] = option((3, 5), "steps", check=at_least(1))


@dataclass(frozen=True)
class Outer(Config):
    inner: Inner = option(Inner(), "nested")
    count: int = option(2, "a count", check=between(1, 100))
    on: bool = option(False, "a switch")
    maybe: bool | None = option(None, "a switch that can be left open")
    name: str | None = option(None, "a name")
    kind: str = option("a", "a choice", choices=("a", "b"))
    kinds: tuple[str, ...] = option(("a",), "several choices", choices=("a", "b"))
    more: dict = option({}, "a mapping")


def failing(maker, *arguments, **options):
    """The message of the `UserError`, which must be one line."""
    with pytest.raises(UserError) as caught:
        maker(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("field", "given", "wanted"),
    [
        ("count", "7", 7), ("count", 7.0, 7), ("count", np.int64(7), 7),
        ("on", "yes", True), ("on", "False", False), ("on", 1, True), ("on", "off", False),
        ("maybe", "none", None), ("maybe", "true", True), ("maybe", None, None),
        ("name", 50, "50"), ("name", "null", None), ("name", "x", "x"),
        ("kinds", "a, b", ("a", "b")), ("kinds", ["b"], ("b",)), ("kinds", "b", ("b",)), ("kinds", "", ()),
        ("more", {"x": 1}, {"x": 1}),
    ],
)  # fmt: skip
def test_values_are_converted(field, given, wanted):
    got = getattr(Outer(**{field: given}), field)
    assert got == wanted
    assert type(got) is type(wanted)


@pytest.mark.parametrize(
    ("given", "wanted"), [("1e-3", 1e-3), (1, 1.0), (np.float32(0.5), 0.5), (10**17 + 1, float(10**17 + 1))]
)
def test_numbers(given, wanted):
    got = Inner(rate=given).rate
    assert got == wanted
    assert type(got) is float


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("300, 350", (300, 350)), (4, (4,)), ([1, "2"], (1, 2)), ("7,", (7,)), (["1,2", "3"], (1, 2, 3))],
)
def test_several_numbers(given, wanted):
    assert Inner(steps=given).steps == wanted


@pytest.mark.parametrize(
    ("field", "given", "words"),
    [
        ("count", "many", "option count takes a whole number, got 'many'"),
        ("count", 2.5, "option count takes a whole number, got 2.5"),
        ("count", float("nan"), "option count takes a whole number, got nan"),
        ("count", float("inf"), "option count takes a whole number, got inf"),
        ("count", True, "option count takes a whole number, got True"),
        ("count", None, "option count needs a value"),
        ("count", 0, "option count must be from 1 to 100, got 0"),
        ("on", "maybe", "option on takes true or false, got 'maybe'"),
        ("name", ["x"], "option name takes text, got ['x']"),
        ("kind", "c", "option kind must be one of a, b, got 'c'"),
        ("kinds", "a,c", "option kinds must be one of a, b, got ('a', 'c')"),
        ("more", "x=1", "option more takes a mapping, got 'x=1'"),
    ],
)
def test_wrong_values_are_one_line(field, given, words):
    assert failing(Outer, **{field: given}) == words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rate": 0}, "option rate must be above 0, got 0.0"),
        ({"rate": "nan"}, "option rate takes a number, got 'nan'"),
        ({"rate": 10**400}, "option rate takes a number, got 1000"),
        ({"steps": (4, 0)}, "option steps must be at least 1, got [4, 0]"),
        ({"steps": "4,x"}, "option steps takes a whole number, got 'x'"),
        ({"steps": [1, None]}, "option steps needs a value"),
    ],
)
def test_checks_of_numbers(options, words):
    assert failing(Inner, **options).startswith(words)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"coumt": 1}, "unknown config key 'coumt'; did you mean count?"),
        ({"inner": {"step": 1}}, "unknown config key 'inner.step'; did you mean steps or rate?"),
        ({"inner": {"zzz": 1}}, "unknown config key 'inner.zzz'; known: rate, steps"),
        ({7: 1}, "unknown config key '7'; known: count"),
        ({"inner": 3}, "inner must be a mapping of options, got 3"),
        ({"inner": None}, "inner must be a mapping of options, got None"),
        ([], "the config must be a mapping of options, got []"),
        (None, "the config must be a mapping of options, got None"),
    ],
)
def test_unknown_keys_and_shapes(data, words):
    assert failing(Outer.from_dict, data).startswith(words)


def test_nested_values():
    config = Outer.from_dict({"inner": {"steps": "1,2"}, "count": "9"})
    assert (config.inner.steps, config.inner.rate, config.count) == ((1, 2), 0.1, 9)
    assert Outer(inner={"rate": 3}).inner == Inner(rate=3.0)


def test_round_trip_through_yaml():
    config = Outer(inner=Inner(0.3, (1,)), count=5, on=True, name="n", kinds=("b", "a"), more={"x": (1, 2)})
    plain = config.to_dict()
    assert plain["inner"] == {"rate": 0.3, "steps": [1]}
    assert plain["more"] == {"x": [1, 2]}
    again = Outer.from_dict(yaml.safe_load(yaml.safe_dump(plain)))
    assert again.replace(more={}) == config.replace(more={})
    assert Outer.from_dict(Outer().to_dict()) == Outer()


def test_a_config_does_not_change():
    mapping = {"x": 1}
    config = Outer(more=mapping)
    mapping["x"] = 2
    config.to_dict()["more"]["x"] = 3
    assert config.more == {"x": 1}
    assert Outer().more is not Outer().more
    with pytest.raises(FrozenInstanceError):
        config.count = 3


def test_replace_checks_again():
    assert Outer().replace(count="3").count == 3
    assert failing(Outer().replace, count=0).startswith("option count must be from 1 to 100")


def test_types_are_those_of_the_options_alone():
    assert field_types(Inner) == {"rate": float, "steps": tuple[int, ...]}
    assert list(field_types(Outer)) == ["inner", "count", "on", "maybe", "name", "kind", "kinds", "more"]
