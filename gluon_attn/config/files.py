"""Configs as YAML files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..utils.errors import UserError
from ..utils.files import write_text
from ..utils.paths import expanded
from .base import Config


def read_yaml(path: Path | str, what: str = "a mapping of groups of options") -> dict[str, Any]:
    """Read a YAML file that holds a mapping.

    Args:
        path: the file.
        what: what it must hold, for the message.

    Raises:
        UserError: it is missing, no valid YAML, or no mapping.
    """
    try:
        data = yaml.safe_load(Path(expanded(path)).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read config {path}: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # text that is not UTF-8, a date of month 13
        raise UserError(f"config {path} is not valid YAML: {' '.join(str(error).split())}") from None
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
