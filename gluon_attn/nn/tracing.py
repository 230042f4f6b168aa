"""Switches that decide with which operators a graph is traced: fast, plain or compiled ones, cast or not.

A switch acts while a graph is traced. A hybridized block that ran before keeps its graph, and one that first runs
inside a switch keeps the graph of that switch; so trace anew: `net(mx.sym.var("data"))` follows the switch.
"""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import TypeAlias

import mxnet as mx

from . import kernels

#: what a `hybrid_forward` computes with
Tensor: TypeAlias = mx.nd.NDArray | mx.sym.Symbol

_plain = contextvars.ContextVar("plain_operators", default=False)
_inference = contextvars.ContextVar("inference_operators", default=False)
_single = contextvars.ContextVar("single_precision", default=False)
_kept = contextvars.ContextVar("without_drops", default=False)


@contextlib.contextmanager
def _on(switch: contextvars.ContextVar[bool]) -> Iterator[None]:
    token = switch.set(True)
    try:
        yield
    finally:
        switch.reset(token)


def plain_operators() -> contextlib.AbstractContextManager[None]:
    """While active, in this thread, the functions of `nn/fast.py` emit broadcast_mul, mean, max and sigmoid."""
    return _on(_plain)


def inference_operators() -> contextlib.AbstractContextManager[None]:
    """While active, in this thread, the functions of `nn/fast.py` pool by oneDNN, whose gradients would be slow."""
    return _on(_inference)


def single_precision() -> contextlib.AbstractContextManager[None]:
    """While active, in this thread, blocks are traced as if they had never been cast: for a graph in float32."""
    return _on(_single)


def without_drops() -> contextlib.AbstractContextManager[None]:
    """While active, in this thread, dropped paths and squares are traced as the identity: for a graph of inference."""
    return _on(_kept)


def plain() -> bool:
    """Whether this thread is inside `plain_operators()`."""
    return _plain.get()


def inference() -> bool:
    """Whether this thread is inside `inference_operators()`."""
    return _inference.get()


def compiled() -> bool:
    """Whether this thread is inside `kernels.compiled_operators()`, and not inside `plain_operators()`."""
    return kernels.active() and not _plain.get()


def single() -> bool:
    """Whether this thread is inside `single_precision()`."""
    return _single.get()


def drops() -> bool:
    """Whether this thread is outside of `without_drops()`."""
    return not _kept.get()
