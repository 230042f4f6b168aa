"""Batch norms whose statistics are those of the images of all processes.

A custom operator, since what it sends to the others stands in the middle of a pass. Its input and its gradient come
through a multiplication by 1: of an array in one of oneDNN's layouts MXNet hands a copy to a custom operator, and frees
it before that has run.
"""

import itertools

import mxnet as mx
import numpy as np
from mxnet import autograd
from mxnet.gluon import nn

from .norm import BatchNorm

_OPERATOR = "gluon_attn_sync_batch_norm"
#: key of a norm -> (the function that sums arrays, the norm's place in its network); operators take text only
_norms = {}
_MOST_USES = 64  # of a norm in a pass
_keys = map(str, itertools.count())


def synchronize(net, total):
    """Synchronize the batch norms of a network; returns how many they are.

    total: function (name, array) -> the sum of the arrays that all processes bring under that name, the same for each;
    it is called in threads of MXNet's. Each must have the same network, on one device, and begin with the same running
    statistics. Norms that compute with these, as frozen ones do, stay as they are.
    """
    norms = {}

    def look(block):
        if type(block) in (nn.BatchNorm, BatchNorm) and not block._kwargs["use_global_stats"]:
            norms[id(block)] = block

    net.apply(look)
    for place, norm in enumerate(norms.values()):
        norm.__class__ = SyncBatchNorm  # in place: others hold the block too
        norm._key, norm._uses = next(_keys), itertools.cycle(range(_MOST_USES))
        _norms[norm._key] = total, place
    return len(norms)


class SyncBatchNorm(nn.BatchNorm):
    """What `synchronize` makes of a batch norm over axis 1. Parameters, their names and evaluation are the same."""

    def hybrid_forward(self, F, x, gamma, beta, running_mean, running_var):
        """N,C,... -> N,C,..."""
        options = {name: self._kwargs[name] for name in ("eps", "momentum", "fix_gamma")}
        options.update(op_type=_OPERATOR, key=self._key, use=self._use(F))
        return 1 * F.Custom(1 * x, gamma, beta, running_mean, running_var, **options)[0]

    def _use(self, F):
        """A number for this use of the norm, the same in each process.

        Gradients of two uses in a pass may be on their way at the same time. Evaluation sends nothing and does not
        count, since it may have a batch less elsewhere.
        """
        if F is mx.nd and not autograd.is_recording():
            return 0
        return next(self._uses)


@mx.operator.register(_OPERATOR)
class _Properties(mx.operator.CustomOpProp):
    """Arguments are text. Outputs: the normalized maps; mean and 1 / deviation of the channels, for the gradient."""

    def __init__(self, key, use, eps, momentum, fix_gamma):
        super().__init__()
        total, place = _norms[key]
        self._name, self._total = f"norm.{place}.{use}", total
        self._options = float(eps), float(momentum), fix_gamma == "True"

    def list_arguments(self):
        return ["data", "gamma", "beta"]

    def list_auxiliary_states(self):
        return ["running_mean", "running_var"]

    def list_outputs(self):
        return ["output", "mean", "scale"]

    def infer_shape(self, in_shape):
        data, channels = in_shape[0], [in_shape[0][1]]
        return [data, channels, channels], [data, channels, channels], [channels, channels]

    def infer_type(self, in_type):
        wide = np.float32
        return [in_type[0], wide, wide], [in_type[0], wide, wide], [wide, wide]

    def create_operator(self, ctx, in_shapes, in_dtypes):
        return _Normalize(lambda name, array: self._total(f"{self._name}.{name}", array), *self._options)


class _Normalize(mx.operator.CustomOp):
    """Forward and backward of the norm on one device, in float32."""

    def __init__(self, total, eps, momentum, fix_gamma):
        super().__init__()
        self._total, self._eps, self._momentum, self._fix_gamma = total, eps, momentum, fix_gamma

    def forward(self, is_train, req, in_data, out_data, aux):
        data, (gamma, beta), (running_mean, running_var) = in_data[0].astype("float32"), in_data[1:], aux
        mean, variance = running_mean, running_var
        if is_train:
            # distances from the running mean, which is near and the same everywhere: squares of the values themselves
            # would lose the variance of maps far from 0
            away = data - _row(running_mean, data)
            shift, square = self._means("forward", away, away * away)
            mean, variance = running_mean + shift, square - shift * shift
            for kept, value in ((running_mean, mean), (running_var, variance)):
                kept[:] = self._momentum * kept + (1 - self._momentum) * value
        scale = 1 / mx.nd.sqrt(variance + self._eps)
        factor = scale if self._fix_gamma else scale * gamma
        normal = (data - _row(mean, data)) * _row(factor, data) + _row(beta, data)
        for place, value in enumerate((normal, mean, scale)):
            self.assign(out_data[place], req[place], value.astype(out_data[place].dtype))

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        grad, data = out_grad[0].astype("float32"), in_data[0].astype("float32")
        mean, scale = out_data[1:]
        normal = (data - _row(mean, data)) * _row(scale, data)
        level, slope = self._means("backward", grad, grad * normal)
        factor = scale if self._fix_gamma else scale * in_data[1]
        whole = (grad - _row(level, data) - normal * _row(slope, data)) * _row(factor, data)
        turned = mx.nd.zeros_like(scale) if self._fix_gamma else _sums(grad * normal)
        for place, value in enumerate((whole, turned, _sums(grad))):
            self.assign(in_grad[place], req[place], value.astype(in_grad[place].dtype))

    def _means(self, name, *maps):
        """Means of maps over the pixels of all images everywhere, one a channel."""
        channels = maps[0].shape[1]
        count = mx.nd.full((1,), maps[0].size / channels, ctx=maps[0].context)
        sums = self._total(name, mx.nd.concat(count, *map(_sums, maps), dim=0))
        return [sums[1 + i * channels : 1 + (i + 1) * channels] / sums[:1] for i in range(len(maps))]


def _sums(maps):
    return maps.sum(axis=1, exclude=True)


def _row(values, maps):
    return values.reshape((1, -1) + (1,) * (maps.ndim - 2))
