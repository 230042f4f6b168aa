"""Names to makers."""

import pytest

from gluon_attn.registry import Registry
from gluon_attn.utils.errors import UserError


@pytest.fixture
def registry():
    registry = Registry("colour")
    registry.register("red", "rouge", "RED!")(lambda: "r")
    registry.register("green")(lambda: "g")
    return registry


def test_register_returns_the_maker_itself(registry):
    def blue():
        return "b"

    assert registry.register("blue")(blue) is blue
    assert registry.get("blue") is blue


def test_names_are_sorted_and_without_aliases(registry):
    assert registry.names() == ["green", "red"]


@pytest.mark.parametrize("name", ["red", "rouge", "RED!"])
def test_aliases_lead_to_the_same_maker(registry, name):
    assert registry.resolve(name) == "red"
    assert registry.get(name)() == "r"
    assert name in registry


def test_aliases_are_told():
    colours = Registry("colour")
    colours.register("red", "rouge", "RED!")(str)
    colours.register("blue")(str)
    assert colours.aliases("red") == ["rouge", "RED!"]
    assert colours.aliases("blue") == []


@pytest.mark.parametrize("names", [("red",), ("rouge",), ("new", "green"), ("new", "rouge")])
def test_a_name_given_twice_raises(registry, names):
    with pytest.raises(ValueError, match=r"colour '.*' is registered twice"):
        registry.register(*names)(lambda: None)
    assert "new" not in registry


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("gren", "unknown colour 'gren'; did you mean green"),
        ("Red", "did you mean red"),
        ("rogue", "rouge"),
        ("xyz", "choose from green, red"),
        (None, "unknown colour None"),
        (3, "unknown colour 3"),
    ],
)
def test_an_unknown_name_lists_the_nearest(registry, wrong, said):
    with pytest.raises(UserError) as caught:
        registry.get(wrong)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert wrong not in registry


def test_names_are_there_whatever_was_imported(run_command):
    """Each registry is asked right after the module that defines it was imported, in a new process."""
    program = "".join(
        f"from gluon_attn.{room}.base import {name}; print({own!r} in {name})\n"
        for room, name, own in (
            ("data", "DATASETS", "digits"), ("attention", "ATTENTIONS", "se"), ("models", "MODELS", "resnet50_v1b")
        )
    )  # fmt: skip
    assert run_command("-c", program).stdout.splitlines() == ["True"] * 3
