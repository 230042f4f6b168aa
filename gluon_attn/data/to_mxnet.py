"""Parts of a batch as arrays of MXNet, without a copy where that can be.

MXNet gives a lent array back from one of its threads, by a call of Python, after it has reported that all is computed.
A Python that is ending by then ends that thread, which aborts the process ("terminate called without an active
exception"), so the process waits until the arrays are back.
"""

import atexit
import time
import weakref
from typing import Any

import mxnet as mx
import numpy as np

_LAST = 0.5  # seconds: nothing is computed any more; an array that a program still holds never comes back
_lent: weakref.WeakValueDictionary[int, np.ndarray] = weakref.WeakValueDictionary()


def to_mxnet(part: Any) -> Any:
    """A part of a batch as MXNet's.

    Args:
        part: an array, which nobody else has if it owns its memory, or a list of arrays.

    Returns:
        An NDArray on the CPU, or a list of them.
    """
    if isinstance(part, list):
        return [mx.nd.array(item, ctx=mx.cpu()) for item in part]
    if part.dtype == np.float32 and part.flags.c_contiguous and part.flags.owndata:
        _lent[id(part)] = part
        return mx.nd.from_numpy(part)
    return mx.nd.array(part, ctx=mx.cpu())


@atexit.register  # MXNet's own function for the end runs after this one
def _take_back() -> None:
    try:
        mx.nd.waitall()
    finally:
        until = time.monotonic() + _LAST
        while _lent and time.monotonic() < until:
            time.sleep(0.001)
