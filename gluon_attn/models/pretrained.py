"""The published parameter file that fits a network."""

from pathlib import Path
from typing import Any

from ..nn.params import load_params, save_params
from ..utils.errors import UserError
from .base import MODELS
from .catalogue import Published, catalogue

__all__ = ["find_published", "load_params", "pretrained_path", "save_params"]

#: options that do not change the contents of a parameter file
_FREE = {"drop_rate", "drop_path", "dropblock_prob", "input_size", "last_gamma"}
_SHOWN = 4


def pretrained_path(recipe: dict[str, Any], any_classes: bool = False) -> Path:
    """Path of the published parameter file that fits a network.

    Args:
        recipe: of the network, see `get_model`.
        any_classes: whether one for another number of classes will do if none has this one.

    Raises:
        UserError: there is none (the message lists the nearest ones), or the file is missing or damaged.
    """
    return find_published(recipe, any_classes).path()


def find_published(recipe: dict[str, Any], any_classes: bool = False) -> Published:
    """The entry of the catalogue that fits a network.

    Args:
        recipe, any_classes: as of `pretrained_path`.

    Raises:
        UserError: there is none; the message lists the nearest ones.
    """
    known = catalogue()
    named = [entry for entry in known.values() if entry.card.model == recipe["model"]]
    fitting = [entry for entry in named if _key(entry.card.to_dict()) == _key(recipe)]
    same = [entry for entry in fitting if entry.card.classes == recipe["classes"]]
    if same or (any_classes and fitting):
        return (same or fitting)[0]
    near = fitting or named
    more = f" and {len(near) - _SHOWN} more" if len(near) > _SHOWN else ""
    there = (
        f"there are {', '.join(f'{entry.name} ({entry.purpose()})' for entry in near[:_SHOWN])}{more}; " if near else ""
    )
    raise UserError(
        f"there are no published parameters of {recipe['model']!r} as it is asked for, with {recipe['classes']} "
        f"classes; {there}`gluon-attn models --pretrained` lists all; or give the path of a parameter file, such as "
        "`gluon-attn convert timm:NAME` writes"
    )


def _key(recipe):
    """What must be the same: model, plan and options, without those at their defaults."""
    defaults = MODELS.get(recipe["model"]).options()
    options = {
        key: value
        for key, value in recipe["options"].items()
        if key not in _FREE and value != defaults.get(key) and (key, value) != ("norm", "batch")
    }
    return recipe["model"], _plain(recipe["plan"]), options


def _plain(plan):
    """Plan entries without fields at their defaults."""
    entries = (plan or {}).get("entries", [])
    empty: tuple[Any, ...] = (None, {}, False)
    return [{key: value for key, value in entry.items() if value not in empty} for entry in entries]
