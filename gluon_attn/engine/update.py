"""From losses to new weights."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import mxnet as mx
from mxnet import autograd
from mxnet.gluon import HybridBlock, Parameter

from ..utils.log import get_logger
from .backend import Backend
from .ema import WeightEMA
from .loss_scale import LossScaler
from .optim import clip_gradients, make_trainer
from .schedule import Schedule, scaled

_CHUNK = 100  # arrays that one operator looks at


def make_update(
    net: HybridBlock,
    config: Any,
    contexts: Sequence[mx.Context],
    batches: int,
    dtype: str,
    backend: Backend,
    excluded: Iterable[Parameter] = (),
) -> "Update":
    """The `Update` of a run.

    Args:
        net: the network.
        config: options, as of `Trainer`.
        contexts: the devices of this process.
        batches: in each epoch of every process.
        dtype: what the run computes in; float16 needs loss scaling.
        backend: the processes of the run.
        excluded: parameters of `net` that the optimizer leaves alone.
    """
    optim = config.optim
    images = config.data.batch_size * len(contexts) * backend.size * optim.accumulate
    optim, per_epoch = scaled(optim, images), math.ceil(batches / optim.accumulate)
    if optim.lr_scaling != "none":
        ratio = f"{images} / {optim.lr_batch}"
        ratio = ratio if optim.lr_scaling == "linear" else f"sqrt({ratio})"
        get_logger().info("lr %g = %g x %s", optim.lr, config.optim.lr, ratio)
    trainer = make_trainer(net, optim, Schedule(optim, config.train.num_epochs, per_epoch), backend, excluded)
    scaler = LossScaler() if dtype == "float16" else None
    ema = WeightEMA(net, optim.ema, optim.ema_warmup) if optim.ema is not None else None
    return Update(trainer, per_epoch, optim.clip_grad, backend.size, scaler, ema)


class Update:
    """Gradients of one or more batches, then one step of the optimizer.

    Gradients are sums over images; the optimizer divides by the images of all batches and processes.

    Args:
        trainer: Gluon's trainer.
        per_epoch: updates in an epoch.
        clip: largest norm of the mean gradient, or None.
        processes: how many take part.
        scaler: loss scaling, or None.
        ema: the EMA of the weights, or None.

    Attributes:
        extra_clip_params: parameters that the optimizer does not update, whose gradients count in the clipped norm.
    """

    def __init__(
        self,
        trainer: mx.gluon.Trainer,
        per_epoch: int,
        clip: float | None = None,
        processes: int = 1,
        scaler: LossScaler | None = None,
        ema: WeightEMA | None = None,
    ):
        self.trainer, self.per_epoch, self._clip, self._processes = trainer, per_epoch, clip, processes
        self.scaler, self.ema = scaler, ema
        self.extra_clip_params: Sequence[Parameter] = ()
        self._images = 0
        self._sums: list[mx.nd.NDArray] | None = None  # gradients of the batches before the newest

    @property
    def pending(self) -> bool:
        """Whether gradients wait for `apply`."""
        return self._images > 0

    def backward(self, losses: Sequence[mx.nd.NDArray], images: int) -> None:
        """Add the gradients of a batch of `images` images, whose `losses` are one array per device."""
        if self.pending:
            self._keep()
        heads = self.scaler and [mx.nd.full(x.shape, self._scale, ctx=x.context, dtype=x.dtype) for x in losses]
        autograd.backward(losses, heads)
        self._images += images

    def apply(self) -> None:
        """Update the weights. A step whose gradients overflowed is left out."""
        images, self._images = self._images * self._processes, 0
        if self._sums:
            for grad, total in zip(self._gradients(), self._sums, strict=True):
                grad += total
            self._sums = None
        self.trainer.allreduce_grads()
        scale = self._scale
        if self.scaler and not self.scaler.accept(self._finite()):
            return
        if self._clip is not None:
            clip_gradients(self.trainer, self._clip * images * scale, self.extra_clip_params)
        self.trainer.update(images * scale)
        if self.ema:
            self.ema.update()

    @property
    def _scale(self):
        return self.scaler.scale if self.scaler else 1

    def _gradients(self):
        """All gradients on all devices; the next backward pass overwrites them."""
        return [grad for param in self.trainer._params if param.grad_req != "null" for grad in param.list_grad()]

    def _keep(self):
        if self._sums is None:
            self._sums = [grad.copy() for grad in self._gradients()]
        else:
            for total, grad in zip(self._sums, self._gradients(), strict=True):
                total += grad

    def _finite(self):
        grads = [param.list_grad()[0] for param in self.trainer._params if param.grad_req != "null"]
        chunks = [grads[i : i + _CHUNK] for i in range(0, len(grads), _CHUNK)]
        return all(mx.nd.multi_all_finite(*chunk, num_arrays=len(chunk)).asscalar() for chunk in chunks)
