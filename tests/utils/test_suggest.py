"""Suggestions for mistyped names."""

import ast
from pathlib import Path

import pytest

from gluon_attn.utils import suggest
from gluon_attn.utils.suggest import did_you_mean

NAMES = ("steps", "rate", "Triplet", "triple", "momentum")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("stepz", "did you mean steps?"),
        ("STEPS", "did you mean steps?"),
        ("triplet", "did you mean Triplet or triple?"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_the_nearest_names(name, expected):
    assert did_you_mean(name, NAMES) == expected


def test_how_many_and_how_near():
    assert did_you_mean("triplet", NAMES, most=1) == "did you mean Triplet?"
    assert did_you_mean("moment", NAMES, cutoff=0.9) == ""
    assert did_you_mean("moment", NAMES, cutoff=0.8) == "did you mean momentum?"
    assert did_you_mean("7", [7, 70]) == "did you mean 7 or 70?"


def test_there_is_no_second_copy():
    package = Path(suggest.__file__).parents[1]
    found = []
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in getattr(node, "names", ())] if isinstance(node, ast.Import) else []
            if "difflib" in names or getattr(node, "module", None) == "difflib":
                found.append(path)
    assert found == [Path(suggest.__file__)]


def test_what_a_name_begins_comes_first():
    names = ["se_resnet50", "resnet50_v1b", "fbresnet50", "resnet50_v1"]
    assert did_you_mean("resnet50", names) == "did you mean resnet50_v1 or resnet50_v1b?"
