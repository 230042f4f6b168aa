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

_PATIENCE = 0.05  # seconds without an array coming back, after which the others count as held by the program
_A_MOMENT = 0.001  # seconds
_lent: weakref.WeakValueDictionary[int, np.ndarray] = weakref.WeakValueDictionary()


def to_mxnet(part: Any) -> Any:
    """A part of a batch as MXNet's.

    Args:
        part: an array or a list of arrays. One that owns its memory may be given away: nobody else may use it, and it
            becomes read-only.

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
        count, until = len(_lent), time.monotonic() + _PATIENCE
        while count and time.monotonic() < until:
            time.sleep(_A_MOMENT)
            if len(_lent) < count:
                count, until = len(_lent), time.monotonic() + _PATIENCE
        time.sleep(_A_MOMENT)  # in which MXNet's thread leaves the call that gave the last one back
