"""Attention modules by name. A file of this folder registers its classes by being imported here."""

import importlib
import inspect
import pkgutil

from ..config.base import nearest
from ..utils.errors import UserError
from .base import ATTENTIONS

for _module in pkgutil.iter_modules(importlib.import_module(__package__).__path__):
    if _module.name not in ("base", "factory"):
        importlib.import_module(f"{__package__}.{_module.name}")


def list_attentions():
    """Names that `get_attention` takes, sorted. Aliases (the reference repositories' spellings) are not listed."""
    return ATTENTIONS.names()


def get_attention(name, channels, **options):
    """A new attention module.

    name: one of `list_attentions()`, or a reference repository's spelling of it (`SE`, `ChaATAC`).
    channels: C of its N,C,H,W input. options: the keyword options of its class; an unknown one is a `UserError`.
    """
    check_options(name, options)
    return ATTENTIONS.get(name)(channels, **options)


def check_options(name, options):
    """`UserError` when a key of `options` is no option of the attention."""
    known = attention_options(name)
    for key in options:
        if key not in known:
            raise UserError(f"attention {name!r} has no option {key!r}{nearest(key, known) if known else ''}")


def attention_options(name):
    """Option name -> default of an attention, read from its class's signature."""
    parameters = inspect.signature(ATTENTIONS.get(name)).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
