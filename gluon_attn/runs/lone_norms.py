"""Batch norms that get one value per channel, such as behind a global pooling with one image per step.

The batch variance is 0 then: the output does not depend on the input, and the running variance only decays. PyTorch
refuses such a step; here it is said.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import mxnet as mx
from mxnet.gluon import Block, nn

from ..attention.factory import attention_name
from ..data.factory import DataLoaders
from ..engine.backend import Backend
from ..engine.callbacks import Callback
from ..engine.task import TrainingLoop
from ..utils.log import get_logger

_SHOWN = 3


class LoneNorms(Callback):
    """Warns before the first epoch of the batch norms that get one value per channel.

    Args:
        net: initialized, not hybridized.
        data: the loaders; where they give a device more than one image per step, no norm is looked for.
        devices: those of the network in this process.
        config: the options of the run.
        backend: its processes.
    """

    def __init__(self, net: Block, data: DataLoaders, devices: list[mx.Context], config: Any, backend: Backend) -> None:
        synchronized = config.optim.sync_bn and backend.size > 1  # then a norm gets those of the other processes, too
        single = data.train.batch_size // len(devices) <= 1 and not synchronized
        sizes = [*data.progressive_sizes, data.input_shape[1:]]
        self._norms = lone_norms(net, min(sizes), devices[0]) if single else {}

    def start(self, trainer: TrainingLoop) -> None:
        """Warn once; a norm that is frozen by then computes with its running statistics."""
        names = [name for name, norm in self._norms.items() if not norm._kwargs["use_global_stats"]]
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            get_logger().warning(
                "one image per step: the batch norms %s%s get one value per channel, whose variance is 0, so that the "
                "running variance only decays; set option batch_size to 2 or more",
                ", ".join(names[:_SHOWN]), more,
            )  # fmt: skip


def lone_norms(net: Block, size: tuple[int, int], device: mx.Context) -> dict[str, Block]:
    """The batch norms of a network that get one value per channel from one image.

    Args:
        net: initialized, not hybridized; it makes one pass.
        size: height and width of the image.
        device: where the network is.

    Returns:
        "NAME" or "NAME of ATTENTION" -> norm, in the order of the pass; the name is the path in the network.
    """
    found: dict[int, Block] = {}

    def look(block: Block, inputs: tuple) -> None:
        x = inputs[0]
        if x.size == x.shape[block._axis if hasattr(block, "_axis") else 1]:
            found[id(block)] = block

    names, hooks = {}, []
    for name, block in _named(net):
        if isinstance(block, nn.BatchNorm) and id(block) not in names:
            names[id(block)] = name
            hooks.append(block.register_forward_pre_hook(look))
    with getattr(net, "all_connected", contextlib.nullcontext)():  # of a supernet
        net(mx.nd.zeros((1, 3, *size), ctx=device)).wait_to_read()
    for hook in hooks:
        hook.detach()
    return {names[key]: block for key, block in found.items()}


def _named(block: Block, path: str = "", attention: str = "") -> Iterator[tuple[str, Block]]:
    """(path, of which attention it is a part; block) of a block and of all below it."""
    kind = attention_name(block)
    attention = f" of {kind}" if kind else attention
    yield f"{path}{attention}", block
    for name, child in block._children.items():
        yield from _named(child, f"{path}.{name}" if path else name, attention)
