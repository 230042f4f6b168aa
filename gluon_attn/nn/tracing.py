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


@contextlib.contextmanager
def plain_operators() -> Iterator[None]:
    """While active, in this thread, the functions of `nn/fast.py` emit broadcast_mul, mean, max and sigmoid."""
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


@contextlib.contextmanager
def inference_operators() -> Iterator[None]:
    """While active, in this thread, the functions of `nn/fast.py` pool by oneDNN, whose gradients would be slow."""
    token = _inference.set(True)
    try:
        yield
    finally:
        _inference.reset(token)


@contextlib.contextmanager
def single_precision() -> Iterator[None]:
    """While active, in this thread, blocks are traced as if they had never been cast: for a graph in float32."""
    token = _single.set(True)
    try:
        yield
    finally:
        _single.reset(token)


def plain() -> bool:
    """Whether this thread is inside `plain_operators()`."""
    return _plain.get()


def pooled() -> bool:
    """Whether this thread is inside `plain_operators()` or `inference_operators()`."""
    return _plain.get() or _inference.get()


def compiled() -> bool:
    """Whether this thread is inside `kernels.compiled_operators()`, and not inside `plain_operators()`."""
    return kernels.active() and not _plain.get()


def single() -> bool:
    """Whether this thread is inside `single_precision()`."""
    return _single.get()
