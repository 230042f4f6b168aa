"""What `builds.make` returns, and how builds read a case's arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mxnet.gluon import HybridBlock


@dataclass
class Built:
    """Our counterpart of a reference's module.

    Attributes:
        block: The block whose outputs and gradients are compared.
        source: Where its weights are from, for `load_reference`.
        call: Function of the block and the case's inputs that returns the outputs; by default the block is called.
        whole: Another block whose parameters are counted, or None.
        again: Prefix of the names of modules that the reference runs a second time with an unused result, so that their
            running statistics are updated once more, and how often it runs them each time.
    """

    block: HybridBlock
    source: str
    call: Callable | None = None
    whole: HybridBlock | None = None
    again: tuple = ()


def renamed(args: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Remove the arguments that `names` lists (theirs -> ours) and return them under our names."""
    return {ours: args.pop(theirs) for theirs, ours in names.items() if theirs in args}


def fixed(args: dict[str, Any], **only: Any) -> None:
    """Remove arguments that may only have these values here."""
    for name, value in only.items():
        got = args.pop(name, value)
        assert got == value, f"{name}={got!r} has no counterpart here, {value!r} only"
