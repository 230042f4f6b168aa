"""Small layers for networks: activations by name, pooling, drop path."""

from collections.abc import Callable
from functools import partial
from typing import Any

from mxnet.gluon import HybridBlock, nn

from ..registry import Registry
from . import fast
from .tracing import Tensor, drops

#: name -> a function without arguments that makes the block
ACTIVATIONS: Registry[Callable[[], HybridBlock]] = Registry("activation")


@ACTIVATIONS.register("relu6")
class ReLU6(HybridBlock):
    """min(max(x, 0), 6), any shape, as in MobileNets."""

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """Any shape -> the same."""
        return F.clip(x, 0, 6)


@ACTIVATIONS.register("hard_swish")
class HardSwish(HybridBlock):
    """x * min(max(x / 6 + 1 / 2, 0), 1), any shape, as in MobileNetV3."""

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """Any shape -> the same."""
        return fast.hard_swish(F, x)


@ACTIVATIONS.register("silu")
class SiLU(HybridBlock):
    """x * sigmoid(x) by `fast.swish`, any shape: within rounding the same as `swish`, in half the time."""

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """Any shape -> the same."""
        return fast.swish(F, x)


for _name in ("relu", "sigmoid", "tanh"):
    ACTIVATIONS.register(_name)(partial(nn.Activation, _name))
for _name, _block in (
    ("prelu", nn.PReLU),
    ("elu", nn.ELU),
    ("selu", nn.SELU),
    ("gelu", nn.GELU),
    ("swish", nn.Swish),
):
    ACTIVATIONS.register(_name)(_block)


def get_activation(name: str) -> HybridBlock:
    """A new activation.

    Args:
        name: relu, relu6, prelu, elu, selu, gelu, swish, silu, hard_swish, sigmoid or tanh.

    Returns:
        A block for inputs of any shape.

    Raises:
        UserError: for another name.
    """
    return ACTIVATIONS.get(name)()


class GlobalAvgPool(HybridBlock):
    """Mean over height and width by `fast.global_avg`, (N,C,H,W) -> (N,C,1,1).

    The gradient of Gluon's `GlobalAvgPool2D` takes up to half of a training step of a CIFAR network on a CPU.
    """

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """(N,C,H,W) -> (N,C,1,1)."""
        return fast.global_avg(F, x)


class _Pool(HybridBlock):
    _pool: Callable[..., Tensor]

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self._stride = stride

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """(N,C,H,W) -> (N,C,H/stride,W/stride)."""
        return self._pool(F, x, self._stride)


class MaxPool(_Pool):
    """3x3 max pooling with padding 1 by `fast.max_pool`, (N,C,H,W) -> (N,C,H/stride,W/stride), rounded up.

    Args:
        stride: 1 (default) or 2.
    """

    _pool = staticmethod(fast.max_pool)


class AvgPool(_Pool):
    """3x3 average pooling by `fast.avg_pool`; else as `MaxPool`."""

    _pool = staticmethod(fast.avg_pool)


def strided(block: HybridBlock, stride: int) -> nn.HybridSequential:
    """`block`, then average pooling over windows of stride x stride pixels.

    Args:
        block: gives (N,C,H,W).
        stride: of the pooling.

    Returns:
        A block that gives (N,C,H/stride,W/stride), rounded up; a window beyond the border averages the pixels there
        are.
    """
    both = nn.HybridSequential(prefix="")
    both.add(block, nn.AvgPool2D(stride, stride, ceil_mode=True, count_include_pad=False))
    both.normed = getattr(block, "normed", False)
    return both


class DropPath(HybridBlock):
    """Stochastic depth: in training each sample becomes 0 with probability `rate`, the others x / (1 - rate).

    (N,C,H,W) -> (N,C,H,W); the identity outside of training. Larsson et al. 2017, https://arxiv.org/abs/1605.07648

    Args:
        rate: probability, default 0.

    Attributes:
        rate: the same; change it with `set_drop_path`.
    """

    def __init__(self, rate: float = 0.0) -> None:
        super().__init__()
        self.rate = rate

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """(N,C,H,W) -> (N,C,H,W)."""
        return _drop_samples(F, x, self.rate)


class DropBranch(HybridBlock):
    """`DropPath` of a residual branch, whose rate no schedule changes.

    Args:
        rate: probability.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self._rate = rate

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """(N,C,H,W) -> (N,C,H,W)."""
        return _drop_samples(F, x, self._rate)


def _drop_samples(F, x, rate):
    if not drops():
        return x
    return F.Dropout(x, p=rate, axes=(1, 2, 3)) if rate else F.identity(x)


def set_drop_path(net: HybridBlock, rate: float, kind: type[HybridBlock] = DropPath) -> None:
    """Set the rate of every `DropPath` in a network, which is traced anew if it was hybridized.

    Args:
        net: the network.
        rate: the new probability.
        kind: class of the blocks whose attribute `rate` is set (default `DropPath`).
    """
    found: list[HybridBlock] = []
    net.apply(lambda block: found.append(block) if isinstance(block, kind) and block.rate != rate else None)
    for block in found:
        block.rate = rate
    if found:
        _clear_graphs(net)
        net._graph_version = graph_version(net) + 1


def graph_version(net: HybridBlock) -> int:
    """How many times `set_drop_path` has changed a network's graph: what was traced before is outdated.

    Args:
        net: the network.
    """
    return getattr(net, "_graph_version", 0)


def contains(net: HybridBlock, kind: type[HybridBlock]) -> bool:
    """Whether a network is or contains a block of class `kind`."""
    return isinstance(net, kind) or any(contains(child, kind) for child in net._children.values())


def _clear_graphs(block: HybridBlock) -> None:
    """Drop the traced graphs of a block and of all blocks inside."""
    block._clear_cached_op()
    for child in block._children.values():
        _clear_graphs(child)
