"""Normalization layers: batch norm with compiled operators, group norm, and layer norm over channels."""

from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock, nn

from . import fast
from .convolution import compiled
from .float32_stats import InFloat32
from .tracing import Tensor


class BatchNorm(nn.BatchNorm):
    """Gluon's batch norm with compiled operators, for the plain NCHW layout.

    Options, parameters, their names and the results are those of `mxnet.gluon.nn.BatchNorm`.
    """

    def hybrid_forward(
        self, F: Any, x: Tensor, gamma: Tensor, beta: Tensor, running_mean: Tensor, running_var: Tensor
    ) -> Tensor:
        """(N,C,...) -> (N,C,...)."""
        if not self.compiled():
            return super().hybrid_forward(F, x, gamma, beta, running_mean, running_var)
        arrays = gamma, beta, running_mean, running_var
        return compiled_batch_norm(F, x, *arrays, affine=self.is_affine(), **self._kwargs)

    def compiled(self) -> bool:
        """Whether the compiled operators may replace MXNet's here."""
        return compiled(self) and not self._kwargs["use_global_stats"]

    def is_affine(self) -> bool:
        """Whether it scales or shifts."""
        return not self._kwargs["fix_gamma"] or self.beta._differentiable

    def input_and_stats(self, F: Any, x: Tensor) -> tuple[Tensor, ...]:
        """What a compiled operator needs to normalize by itself.

        Args:
            F: `mx.nd` or `mx.sym`.
            x: (N,C,...).

        Returns:
            x, the two values per channel of the batch statistics, these normalized, the mean and the inverse standard
            deviation to use, the running mean and the running variance.
        """
        names = ("gamma", "beta", "running_mean", "running_var")
        params = [self._reg_params[name] for name in names]
        with self.name_scope():
            arrays = [param.var() if F is mx.sym else param.data(x.context) for param in params]
            return x, *_stats(F, x, *arrays, affine=self.is_affine(), **self._kwargs), *arrays[2:]


def compiled_batch_norm(
    F: Any, x: Tensor, gamma: Tensor, beta: Tensor, running_mean: Tensor, running_var: Tensor, *,
    affine: bool = True, **options: Any,
) -> Tensor:  # fmt: skip
    """MXNet's `BatchNorm` over axis 1 by compiled operators, where they are loaded.

    Args:
        F: `mx.nd` or `mx.sym`.
        x: (N,C,...), in float32, float64 or bfloat16, and the result with it; the other arrays are in float32 beside
            bfloat16.
        gamma: (C,), as all that follow.
        beta: the shift.
        running_mean: updated as `BatchNorm` does.
        running_var: the same.
        affine: gamma or beta may be learned.
        options: of `BatchNorm`, `fix_gamma`, `momentum` and `eps` among them; not `use_global_stats`.
    """
    running = running_mean, running_var
    stats = _stats(F, x, gamma, beta, *running, affine=affine, **options)
    return F.gluon_attn_batch_norm(
        x, *stats, gamma, beta, *running, fix_gamma=int(options["fix_gamma"]), momentum=options["momentum"],
        eps=options["eps"], then="nothing",
    )  # fmt: skip


def _stats(
    F: Any, x: Tensor, gamma: Tensor, beta: Tensor, *running: Tensor, affine: bool, **options: Any
) -> list[Tensor]:
    """(two values per channel of the batch statistics, these normalized, mean, inverse standard deviation)."""
    # MXNet's norm of two values per channel with the same mean and variance decides whether the statistics of the
    # batch or the running ones count; of shape (2,C,1,1), since with (2,C) it can crash
    stats = F.BlockGrad(F.gluon_attn_batch_stats(x))
    if affine:  # without a backward pass it does not update running ones
        gamma, beta = F.BlockGrad(gamma), F.BlockGrad(beta)
    outputs = F.BatchNorm(stats, gamma, beta, *running, **{**options, "output_mean_var": True})
    return [stats, *(F.BlockGrad(outputs[i]) for i in range(3))]


class GroupNorm(InFloat32, HybridBlock):
    """Group norm with a scale and a shift per channel, (N,C,H,W) -> (N,C,H,W).

    The statistics are taken in float32. MXNet's own runs slowly on a CPU and has no ONNX converter.

    Args:
        channels: C.
        groups: number of groups, a divisor of C.
        epsilon: added to the variance (default 1e-5).
    """

    def __init__(self, channels: int, groups: int, *, epsilon: float = 1e-5) -> None:
        super().__init__()
        self._groups, self._members, self._epsilon = groups, channels // groups, epsilon
        with self.name_scope():
            self.gamma = self.params.get("gamma", shape=(1, channels, 1, 1), init="ones")
            self.beta = self.params.get("beta", shape=(1, channels, 1, 1), init="zeros")

    def hybrid_forward(self, F: Any, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """(N,C,H,W) -> (N,C,H,W)."""
        wide = self.widen(F, x)
        centered = fast.channel_shift(F, wide, -self._over_groups(F, fast.global_avg(F, wide)))
        variance = self._over_groups(F, fast.global_avg(F, F.square(centered)))
        scale = F.broadcast_div(self.widen(F, gamma), F.sqrt(variance + self._epsilon))
        shift = F.broadcast_add(F.zeros_like(scale), self.widen(F, beta))
        return self.narrow(F, fast.channel_shift(F, fast.channel_scale(F, centered, scale), shift))

    def _over_groups(self, F: Any, means: Tensor) -> Tensor:
        """(N,C,1,1) -> (N,C,1,1), each value replaced by the mean of its group."""
        of_groups = F.mean(F.reshape(means, shape=(0, self._groups, -1)), axis=2)
        return F.reshape(F.repeat(of_groups, repeats=self._members, axis=1), shape=(0, -1, 1, 1))


class ChannelNorm(InFloat32, HybridBlock):
    """Layer norm over the channels of (N,C,1,1), with a scale and a shift per channel.

    The statistics are taken in float32.

    Args:
        channels: C.
        epsilon: added to the variance (default 1e-5).
    """

    def __init__(self, channels: int, *, epsilon: float = 1e-5) -> None:
        super().__init__()
        self._epsilon = epsilon
        with self.name_scope():
            self.gamma = self.params.get("gamma", shape=(1, channels, 1, 1), init="ones")
            self.beta = self.params.get("beta", shape=(1, channels, 1, 1), init="zeros")

    def hybrid_forward(self, F: Any, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """(N,C,1,1) -> (N,C,1,1)."""
        wide = self.widen(F, x)
        centered = F.broadcast_sub(wide, F.mean(wide, axis=1, keepdims=True))
        std = F.sqrt(F.mean(F.square(centered), axis=1, keepdims=True) + self._epsilon)
        normalized = self.narrow(F, F.broadcast_div(centered, std))
        return F.broadcast_add(F.broadcast_mul(normalized, gamma), beta)
