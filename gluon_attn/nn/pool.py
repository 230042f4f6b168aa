"""Pooling as layers."""

from mxnet.gluon import HybridBlock, nn

from . import fast


class GlobalAvgPool(HybridBlock):
    """Mean over each map, N,C,H,W -> N,C,1,1, by `fast.global_avg`.

    The gradient of Gluon's `GlobalAvgPool2D` takes up to half of a training step of a CIFAR network on a CPU.
    """

    def hybrid_forward(self, F, x):
        return fast.global_avg(F, x)


class MaxPool(HybridBlock):
    """Maxima of 3x3 pixels with a border of one, N,C,H,W -> N,C,H/stride,W/stride, by `fast.max_pool`."""

    def __init__(self, stride=1):
        super().__init__()
        self._stride = stride

    def hybrid_forward(self, F, x):
        return fast.max_pool(F, x, self._stride)


def strided(block, stride):
    """`block`, then an average over stride x stride pixels; windows at the far border average what is there."""
    both = nn.HybridSequential(prefix="")
    both.add(block, nn.AvgPool2D(stride, stride, ceil_mode=True, count_include_pad=False))
    both.normed = getattr(block, "normed", False)
    return both
