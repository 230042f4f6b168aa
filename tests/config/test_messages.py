"""Messages name options, never flags: the command line adds the spelling of its flags."""

import ast
import dataclasses
import re
from pathlib import Path

import pytest

from gluon_attn.cli.spelling import _OF_COMMANDS
from gluon_attn.config import detect, ean, search, train
from gluon_attn.config.base import Config, field_types
from gluon_attn.utils.errors import TrainingError, UserError

PACKAGE = Path(__file__).resolve().parents[2] / "gluon_attn"
FILES = sorted(path for folder in ("config", "data", "utils") for path in (PACKAGE / folder).glob("*.py"))
CONFIGS = (train.RunConfig, detect.DetectRunConfig, ean.EanPipelineConfig, search.AttDartsConfig, search.AnasConfig)


def messages(path):
    """The text of each message that a file raises; what is put in is left out."""
    errors = {UserError.__name__, TrainingError.__name__}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in errors:
            parts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
            yield " ".join(part for part in parts if isinstance(part, str))


def option_names():
    names = set()
    for config in CONFIGS:
        for group in field_types(config).values():
            if isinstance(group, type) and issubclass(group, Config):
                names |= {field.name for field in dataclasses.fields(group)}
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_flag_in_a_message(path):
    assert [text for text in messages(path) if re.search(r"--[a-z]", text)] == []


def test_the_options_in_messages_exist():
    found = {name for path in FILES for text in messages(path) for name in re.findall(r"option (\w\w+)", text)}
    assert len(found) > 15
    assert found <= option_names() | set(_OF_COMMANDS)
