"""Pooling as layers."""

from mxnet.gluon import HybridBlock

from . import fast


class GlobalAvgPool(HybridBlock):
    """Mean over each map, N,C,H,W -> N,C,1,1, by `fast.global_avg`.

    The gradient of Gluon's `GlobalAvgPool2D` takes up to half of a training step of a CIFAR network on a CPU.
    """

    def hybrid_forward(self, F, x):
        return fast.global_avg(F, x)
