"""From losses to new weights."""

import math

import mxnet as mx
from mxnet import autograd

from .ema import WeightAverage
from .loss_scale import LossScaler
from .optim import clip_gradients, make_trainer
from .schedule import Schedule, scaled

_CHUNK = 100  # arrays that one operator looks at


def make_update(net, config, contexts, batches, dtype, backend, apart=()):
    """The `Update` of a run: options `config`, devices `contexts`, `batches` in each epoch of every process.

    apart: parameters of `net` that something else moves.
    """
    optim = config.optim
    images = config.data.batch_size * len(contexts) * backend.size * optim.accumulate
    optim, per_epoch = scaled(optim, images), math.ceil(batches / optim.accumulate)
    trainer = make_trainer(net, optim, Schedule(optim, config.train.num_epochs, per_epoch), backend, apart)
    scaler = LossScaler() if dtype == "float16" else None
    average = WeightAverage(net, optim.ema) if optim.ema is not None else None
    return Update(trainer, per_epoch, optim.clip_grad, backend.size, scaler, average)


class Update:
    """Gradients of one or more batches, then one step of the optimizer.

    trainer: a `gluon.Trainer`. per_epoch: updates in an epoch. clip: largest norm of the mean gradient, or None.
    processes: how many take part. scaler: a `LossScaler`, or None. average: a `WeightAverage`, or None. Gradients
    are sums over images; the optimizer divides by the images of all batches and processes. `beside`: parameters that it
    does not move, whose gradients count in the norm.
    """

    def __init__(self, trainer, per_epoch, clip=None, processes=1, scaler=None, average=None):
        self.trainer, self.per_epoch, self._clip, self._processes = trainer, per_epoch, clip, processes
        self.scaler, self.average = scaler, average
        self._images, self._sums, self.beside = 0, None, ()

    @property
    def pending(self):
        """Whether gradients wait for `apply`."""
        return self._images > 0

    def backward(self, losses, images):
        """Add the gradients of a batch of `images`, whose `losses` are one array a device."""
        if self.pending:
            self._keep()
        heads = self.scaler and [mx.nd.full(x.shape, self._scale, ctx=x.context, dtype=x.dtype) for x in losses]
        autograd.backward(losses, heads)
        self._images += images

    def apply(self):
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
            clip_gradients(self.trainer, self._clip * images * scale, self.beside)
        self.trainer.update(images * scale)
        if self.average:
            self.average.update()

    @property
    def _scale(self):
        return self.scaler.scale if self.scaler else 1

    def _gradients(self):
        """All gradients on all devices; the next backward pass writes over them."""
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
