"""Which form of an operation a graph is traced with: the fast one, the plain one, or a compiled operator."""

import contextlib
import contextvars

from . import kernels

_plain = contextvars.ContextVar("plain_operators", default=False)


@contextlib.contextmanager
def plain_operators():
    """While active, in this thread, the functions here emit broadcast_mul, mean, max and sigmoid.

    It acts when a graph is traced. A hybridized block that ran before keeps its fast graph, and one that
    first runs inside keeps the plain one; so trace afresh: `net(mx.sym.var("data"))` follows the switch.
    """
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


def plain():
    """Whether this thread is inside `plain_operators()`, for formulations that live in one attention."""
    return _plain.get()


def compiled():
    """Whether this thread is inside `kernels.compiled_operators()`, and not inside `plain_operators()`."""
    return kernels.active() and not _plain.get()


def rows_of(F, x):
    """(N,C,H,W) -> (N,C,HW)."""
    return F.reshape(x, shape=(0, 0, -1))
