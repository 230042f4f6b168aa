"""Which devices a run uses."""

from collections.abc import Sequence

import mxnet as mx

from .. import runtime
from ..utils.errors import UserError
from ..utils.log import get_logger
from .backend import Backend


def uses_amx() -> bool:
    """Whether oneDNN computes with AMX in this process."""
    amx = runtime.report().amx
    return amx is not None and amx.value == "on"


def contexts(gpus: Sequence[int] | None = None, num_gpus: int = 0, backend: Backend | None = None) -> list[mx.Context]:
    """The devices of this process: GPUs, or the CPU, with one warning where GPUs were asked for and none is usable.

    Args:
        gpus: GPUs by number.
        num_gpus: the first so many GPUs instead.
        backend: the processes of the run; of several on a host each takes one of the GPUs, by its local rank.

    Raises:
        UserError: both are given, or a GPU is asked for that cannot be used while others can.
    """
    if gpus and num_gpus:
        raise UserError("give option gpus or option num_gpus, not both")
    wanted = list(gpus) if gpus else list(range(num_gpus))
    if not wanted:
        return [mx.cpu()]
    usable = runtime.usable_gpus()
    if not usable:
        get_logger().warning("no usable GPU here: training on the CPU (`gluon-attn doctor` says why)")
        return [mx.cpu()]
    if not set(wanted) <= set(usable):
        raise UserError(f"GPUs {wanted} were asked for, usable are {usable} (`gluon-attn doctor` says why)")
    if backend is not None and backend.size > 1:
        if backend.local_rank >= len(wanted):
            raise UserError(f"each process takes a GPU: {len(wanted)} cannot serve process {backend.local_rank + 1}")
        wanted = [wanted[backend.local_rank]]
    return [mx.gpu(number) for number in wanted]
