"""Attention modules by name. A file of this folder registers its classes by being imported here."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from ..config.base import nearest
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention

for _module in pkgutil.iter_modules(importlib.import_module(__package__).__path__):
    if _module.name not in ("base", "factory"):
        importlib.import_module(f"{__package__}.{_module.name}")

A = TypeVar("A", bound=type[Attention])


def register_attention(name: str, *aliases: str) -> Callable[[A], A]:
    """Decorator that makes an attention of your own known by its name, in every function and command.

    Args:
        name: the name that `get_attention` takes.
        aliases: further names, which `list_attentions` does not list.

    Returns:
        A decorator of a subclass of `Attention`, which it returns as it is.

    Raises:
        UserError: what is decorated is no such class.
        ValueError: one of the names is taken.

    Example:
        `@gluon_attn.register_attention("mine")` above `class Mine(gluon_attn.Attention)`
    """

    def add(kind: A) -> A:
        if not (isinstance(kind, type) and issubclass(kind, Attention)):
            raise UserError(f"attention {name!r} must be a class derived from gluon_attn.Attention, got {kind!r}")
        ATTENTIONS.register(name, *aliases)(kind)
        return kind

    return add


def list_attentions(pattern: str | None = None) -> list[str]:
    """Names that `get_attention` takes, sorted. Aliases (the reference repositories' spellings) are not listed.

    Args:
        pattern: those that match it, such as "*eca*" (default: all).
    """
    return ATTENTIONS.names(pattern)


def attention_name(block: object) -> str | None:
    """The name under which the class of a module is registered; None for one that is no attention of its own.

    Args:
        block: any module.
    """
    return next((name for name in ATTENTIONS.names() if ATTENTIONS.get(name) is type(block)), None)


def identity_attentions() -> list[str]:
    """Names of the attentions that can start without effect at the end of a residual branch, sorted.

    Those are the attentions of the slots `post`, `inner` and `stage` with a `constant_start`, by their default options;
    after a stage, where no layer makes up for another factor than 1, only those that start as the identity.
    """
    found = []
    for name in list_attentions():
        kind = ATTENTIONS.get(name)
        if kind.slot in ("post", "inner", "stage"):
            size = {"spatial": 8} if "spatial" in attention_options(name) else {}
            start = kind(64, **size).constant_start()
            if start is not None and (kind.slot != "stage" or start.factor == 1):
                found.append(name)
    return found


def get_attention(name: str, channels: int, **options: Any) -> Attention:
    """A new attention module.

    Args:
        name: one of `list_attentions()`, or a reference repository's spelling of it (`SE`, `ChaATAC`).
        channels: C of its input.
        **options: the keyword options of its class, see docs/attentions.md.

    Returns:
        A block, (N,C,H,W) -> (N,C,H,W).

    Raises:
        UserError: for an unknown name or option, or a value that the attention does not take.
    """
    check_options(name, options)
    return ATTENTIONS.get(name)(channels, **options)


def check_options(name: str, options: Iterable[str]) -> None:
    """Check names of options.

    Args:
        name: of the attention, or an alias.
        options: names of options.

    Raises:
        UserError: for an unknown attention, or a name that is no option of it.
    """
    known = attention_options(name)
    for key in options:
        if key not in known:
            raise UserError(f"attention {name!r} has no option {key!r}{nearest(key, known) if known else ''}")


def attention_options(name: str) -> dict[str, Any]:
    """The options of an attention, read from the signature of its class.

    Args:
        name: of the attention, or an alias.

    Returns:
        Name of an option -> its default.

    Raises:
        UserError: for an unknown attention.
    """
    parameters = inspect.signature(ATTENTIONS.get(name)).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
