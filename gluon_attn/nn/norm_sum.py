"""A weighted sum of operations that end in batch norms, as one operator: sum_i w_i BatchNorm_i(features_i(x)).

A search by gradients runs many such sums. Fused, the normalized feature maps are never written to memory.
"""

from collections.abc import Sequence
from typing import Any

from mxnet.gluon import HybridBlock, nn

from . import fast
from .norm import BatchNorm
from .tracing import Tensor

#: momentum and eps of the norms that can be fused
_OPTIONS = {"momentum": 0.9, "eps": 1e-5}


class EndsInNorm:
    """An operation whose last layer is a batch norm: y = last_norm(features(x))."""

    @property
    def last_norm(self) -> HybridBlock:
        """The batch norm at the end."""
        raise NotImplementedError

    def features(self, F: Any, x: Tensor) -> Tensor:
        """The output of the layers before that norm.

        Args:
            F: `mx.nd` or `mx.sym`.
            x: (N,C,H,W).
        """
        raise NotImplementedError

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """The whole operation."""
        return self.last_norm(self.features(F, x))


class NormSequential(EndsInNorm, nn.HybridSequential):
    """Layers in a row of which the last is a batch norm."""

    @property
    def last_norm(self) -> HybridBlock:
        """The last layer."""
        return list(self._children.values())[-1]

    def features(self, F: Any, x: Tensor) -> Tensor:
        """The output of all layers but the last, see `EndsInNorm.features`."""
        for layer in list(self._children.values())[:-1]:
            x = layer(x)
        return x


def weighted_norm_sum(F: Any, operations: Sequence[HybridBlock], x: Tensor, weights: Tensor) -> Tensor:
    """sum_i weights_i operation_i(x), with the norm at the end of an operation fused into the sum where that goes.

    With compiled operators a norm is fused that neither scales nor shifts, with momentum 0.9 and epsilon 1e-5. All
    other operations are called as they are. The numbers agree with those of the separate layers up to rounding.

    Args:
        F: `mx.nd` or `mx.sym`.
        operations: blocks that take x and give outputs of one shape.
        x: input of each operation.
        weights: (len(operations),).

    Returns:
        An array of the outputs' shape.
    """
    if not fast.compiled():
        return fast.weighted_sum(F, [operation(x) for operation in operations], weights)
    inputs: list[Tensor] = []
    normalized = ""
    for operation in operations:
        norm = _fusable_norm(operation)
        normalized += "0" if norm is None else "1"
        if norm is None:
            inputs.append(operation(x))
            continue
        with operation.name_scope():
            inputs += norm.input_and_stats(F, operation.features(F, x))
    return F.gluon_attn_weighted_sum(weights, *inputs, normalized=normalized, **_OPTIONS)


def _fusable_norm(operation: HybridBlock) -> BatchNorm | None:
    """The norm at the end of an operation if the sum can take it over."""
    norm = operation.last_norm if isinstance(operation, EndsInNorm) else None
    if not isinstance(norm, BatchNorm) or not norm.compiled() or norm.is_affine():
        return None
    return norm if all(norm._kwargs[name] == value for name, value in _OPTIONS.items()) else None
