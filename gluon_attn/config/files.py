"""Configs as YAML files."""

from pathlib import Path

import yaml

from ..utils.errors import UserError
from ..utils.files import write_text


def read_yaml(path):
    """The mapping in a YAML file; `UserError` when it is missing or broken."""
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read config {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"config {path} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise UserError(f"config {path} must hold a mapping of option groups")
    return data


def write_yaml(path, config):
    """Write a `Config`, whole or not at all."""
    write_text(path, yaml.safe_dump(config.to_dict(), sort_keys=False, allow_unicode=True))


def merge(base, changes):
    """`base` with `changes` laid over it, group by group; neither is altered."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = {**merged[key], **value} if both else value
    return merged
