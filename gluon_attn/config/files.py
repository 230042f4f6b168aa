"""Configs as YAML files."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..utils.errors import UserError
from ..utils.files import write_text
from ..utils.paths import expanded
from .base import Config


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which reads 1e-3 as a number, too, as YAML 1.2 has it."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def from_yaml(text: str) -> Any:
    """Read YAML as plain data; 1e-3 is a number.

    Args:
        text: the YAML.

    Raises:
        ValueError: it is no valid YAML; the message is one line.
    """
    try:
        return yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # also a date of month 13
        raise ValueError(" ".join(str(error).split())) from None


def one_word(value: Any) -> str:
    """Plain data as YAML without spaces, as flags take it: `from_yaml` reads it."""
    return yaml.safe_dump(value, default_flow_style=True, width=float("inf")).splitlines()[0].replace(" ", "")


def read_yaml(path: Path | str, what: str = "a mapping of groups of options") -> dict[str, Any]:
    """Read a YAML file that holds a mapping.

    Args:
        path: the file.
        what: what it must hold, for the message.

    Raises:
        UserError: it is missing, no valid YAML, or no mapping.
    """
    try:
        data = from_yaml(Path(expanded(path)).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read config {path}: {error.strerror}") from None
    except ValueError as error:  # also text that is not UTF-8
        raise UserError(f"config {path} is not valid YAML: {error}") from None
    if not isinstance(data, dict):
        raise UserError(f"config {path} must hold {what}")
    return data


def write_yaml(path: Path | str, config: Config, header: str = "") -> None:
    """Write a config to a file, whole or not at all, after the comment line `header`, if there is one."""
    write_text(
        path, f"{header}\n" * bool(header) + yaml.safe_dump(config.to_dict(), sort_keys=False, allow_unicode=True)
    )


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Override options group by group.

    Args:
        base: plain data of a config, group -> {option: value}; left unchanged.
        changes: plain data of the same form, of some groups and options.

    Returns:
        `base` with the values of `changes`.
    """
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = {**merged[key], **value} if both else value
    return merged
