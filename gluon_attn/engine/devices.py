"""Which devices a run uses."""

import mxnet as mx

from .. import runtime
from ..utils.errors import UserError
from ..utils.log import get_logger


def contexts(gpus=None, num_gpus=0, backend=None):
    """MXNet contexts for `--gpus 0,1` or `--num-gpus N`; the CPU, with one warning, where no such GPU is usable.

    backend: see `backend.connect`; of several processes each takes one of the GPUs, by its number on the host.
    """
    if gpus and num_gpus:
        raise UserError("give --gpus or --num-gpus, not both")
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
