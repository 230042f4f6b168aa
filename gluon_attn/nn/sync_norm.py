"""Synchronized batch norm: statistics over the samples of all processes.

A custom operator, since its all-reduce is in the middle of a pass. Its input and its gradient go through a
multiplication by 1: of an array in one of oneDNN's layouts MXNet hands a copy to a custom operator, and frees it before
the operator has run.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import autograd
from mxnet.gluon import HybridBlock, nn

from .norm import BatchNorm
from .tracing import Tensor

AllReduce = Callable[[str, mx.nd.NDArray], mx.nd.NDArray]

_OPERATOR = "gluon_attn_sync_batch_norm"
#: key of a norm -> (the all-reduce, index of the norm in its network); attributes of operators are text only
_norms: dict[str, tuple[AllReduce, int]] = {}
_MAX_USES = 64  # of a norm in a pass
_keys = map(str, itertools.count())


def synchronize(net: HybridBlock, allreduce_sum: AllReduce) -> int:
    """Synchronize the batch norms of a network.

    All processes must have the same network, each on one device, with the same running statistics at first. Norms that
    use the running statistics in training (frozen ones) stay as they are.

    Args:
        net: the network, changed in place.
        allreduce_sum: function of (name, array) that returns the sum of the arrays of all processes with that name. It
            is called in threads of MXNet.

    Returns:
        The number of norms that were synchronized.
    """
    norms: dict[int, HybridBlock] = {}

    def visit(block: HybridBlock) -> None:
        if type(block) in (nn.BatchNorm, BatchNorm) and not block._kwargs["use_global_stats"]:
            norms[id(block)] = block

    net.apply(visit)
    for index, norm in enumerate(norms.values()):
        norm.__class__ = SyncBatchNorm  # in place, since others hold the block too
        norm._key, norm._uses = next(_keys), itertools.cycle(range(_MAX_USES))
        _norms[norm._key] = allreduce_sum, index
    return len(norms)


class SyncBatchNorm(nn.BatchNorm):
    """What `synchronize` turns a batch norm over axis 1 into. Parameters, their names and evaluation are the same."""

    def hybrid_forward(
        self, F: Any, x: Tensor, gamma: Tensor, beta: Tensor, running_mean: Tensor, running_var: Tensor
    ) -> Tensor:
        """(N,C,...) -> (N,C,...)."""
        if self._kwargs["use_global_stats"]:  # frozen for some epochs
            return super().hybrid_forward(F, x, gamma, beta, running_mean, running_var)
        options = {name: self._kwargs[name] for name in ("eps", "momentum", "fix_gamma")}
        options.update(op_type=_OPERATOR, key=self._key, use=self._use(F))
        return 1 * F.Custom(1 * x, gamma, beta, running_mean, running_var, **options)[0]

    def _use(self, F: Any) -> int:
        """A number for this use of the norm, the same in each process.

        The gradients of two uses in a pass may be all-reduced at the same time. Evaluation sends nothing and does not
        count, since another process may evaluate one batch less.
        """
        if F is mx.nd and not autograd.is_recording():
            return 0
        return next(self._uses)


@mx.operator.register(_OPERATOR)
class _Properties(mx.operator.CustomOpProp):
    """Outputs: the normalized feature map; mean and inverse standard deviation per channel, for the gradient."""

    def __init__(self, key: str, use: str, eps: str, momentum: str, fix_gamma: str) -> None:
        super().__init__()
        allreduce_sum, index = _norms[key]
        self._name, self._allreduce_sum = f"norm.{index}.{use}", allreduce_sum
        self._options = float(eps), float(momentum), fix_gamma == "True"

    def list_arguments(self) -> list[str]:
        return ["data", "gamma", "beta"]

    def list_auxiliary_states(self) -> list[str]:
        return ["running_mean", "running_var"]

    def list_outputs(self) -> list[str]:
        return ["output", "mean", "inv_std"]

    def infer_shape(self, in_shape: list) -> tuple[list, list, list]:
        data, channels = in_shape[0], [in_shape[0][1]]
        return [data, channels, channels], [data, channels, channels], [channels, channels]

    def infer_type(self, in_type: list) -> tuple[list, list, list]:
        wide = np.float32
        return [in_type[0], wide, wide], [in_type[0], wide, wide], [wide, wide]

    def create_operator(self, ctx: Any, in_shapes: list, in_dtypes: list) -> "_SyncBatchNorm":
        return _SyncBatchNorm(lambda name, array: self._allreduce_sum(f"{self._name}.{name}", array), *self._options)


class _SyncBatchNorm(mx.operator.CustomOp):
    """Forward and backward of the norm on one device, in float32."""

    def __init__(self, allreduce_sum: AllReduce, eps: float, momentum: float, fix_gamma: bool) -> None:
        super().__init__()
        self._allreduce_sum, self._eps, self._momentum, self._fix_gamma = allreduce_sum, eps, momentum, fix_gamma

    def forward(self, is_train: bool, req: list, in_data: list, out_data: list, aux: Sequence) -> None:
        data, (gamma, beta), (running_mean, running_var) = in_data[0].astype("float32"), in_data[1:], aux
        mean, variance = running_mean, running_var
        if is_train:
            # differences to the running mean, which is near and the same everywhere: squares of the values themselves
            # would lose the variance of feature maps far from 0
            difference = data - _per_channel(running_mean, data)
            shift, square = self._means("forward", difference, difference * difference)
            mean, variance = running_mean + shift, square - shift * shift
            for running, value in ((running_mean, mean), (running_var, variance)):
                running[:] = self._momentum * running + (1 - self._momentum) * value
        inv_std = 1 / mx.nd.sqrt(variance + self._eps)
        scale = inv_std if self._fix_gamma else inv_std * gamma
        y = (data - _per_channel(mean, data)) * _per_channel(scale, data) + _per_channel(beta, data)
        for index, value in enumerate((y, mean, inv_std)):
            self.assign(out_data[index], req[index], value.astype(out_data[index].dtype))

    def backward(self, req: list, out_grad: list, in_data: list, out_data: list, in_grad: list, aux: Sequence) -> None:
        grad, data = out_grad[0].astype("float32"), in_data[0].astype("float32")
        mean, inv_std = out_data[1:]
        normalized = (data - _per_channel(mean, data)) * _per_channel(inv_std, data)
        grad_mean, product_mean = self._means("backward", grad, grad * normalized)
        scale = inv_std if self._fix_gamma else inv_std * in_data[1]
        grad_data = (
            grad - _per_channel(grad_mean, data) - normalized * _per_channel(product_mean, data)
        ) * _per_channel(scale, data)
        grad_gamma = mx.nd.zeros_like(inv_std) if self._fix_gamma else _channel_sums(grad * normalized)
        for index, value in enumerate((grad_data, grad_gamma, _channel_sums(grad))):
            self.assign(in_grad[index], req[index], value.astype(in_grad[index].dtype))

    def _means(self, name: str, *maps: mx.nd.NDArray) -> list[mx.nd.NDArray]:
        """Means of feature maps over the pixels of all samples of all processes, one per channel."""
        channels = maps[0].shape[1]
        count = mx.nd.full((1,), maps[0].size / channels, ctx=maps[0].context)
        sums = self._allreduce_sum(name, mx.nd.concat(count, *map(_channel_sums, maps), dim=0))
        return [sums[1 + i * channels : 1 + (i + 1) * channels] / sums[:1] for i in range(len(maps))]


def _channel_sums(x: mx.nd.NDArray) -> mx.nd.NDArray:
    """(N,C,...) -> (C,)."""
    return x.sum(axis=1, exclude=True)


def _per_channel(values: mx.nd.NDArray, like: mx.nd.NDArray) -> mx.nd.NDArray:
    """(C,) -> (1,C,1,...), to be broadcast to the shape of `like`."""
    return values.reshape((1, -1) + (1,) * (like.ndim - 2))
