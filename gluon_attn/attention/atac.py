"""Attentional activation units ("Attention as Activation"): along the channels, over the pixels, and both."""

from typing import Any

from mxnet.gluon import nn

from ..nn import fast
from ..nn.channel_attention import hidden_channels, pointwise_mlp
from ..nn.convolution import DepthwiseConv, GroupedConv
from ..nn.tracing import Tensor
from ..utils.checks import odd, positive, switch
from .base import ATTENTIONS, Attention


@ATTENTIONS.register("cha_atac", "ChaATAC", "atac")
class ChaATAC(Attention):
    """Channel attentional activation, Dai et al. 2021, https://arxiv.org/abs/2007.07729

    y = x * sigmoid(BN(W2 relu(BN(W1 x)))), both layers 1x1 convolutions without bias at every pixel.

    Place: instead of the activation; in post-activation blocks the one after the addition stays a ReLU.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the hidden width (default 2, the paper's).
        relu: the inner ReLU (default True).
        global_pool: average over H and W first, which makes the gate one number per channel (default False); both are
            the ablations of the paper's table 2.
    """

    reference_key = "cha_atac"

    slot = "act"

    def __init__(self, channels: int, *, reduction: int = 2, relu: bool = True, global_pool: bool = False) -> None:
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        self._global_pool = switch("global_pool", global_pool)
        with self.name_scope():
            inner = "relu" if switch("relu", relu) else None
            self.mlp = pointwise_mlp(channels, hidden, bias=False, norm=True, activation=inner)

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        if self._global_pool:
            return fast.channel_gate(F, x, fast.sigmoid(F, self.mlp(fast.global_avg(F, x))))
        return fast.logistic_gate(F, x, self.mlp(x))


@ATTENTIONS.register("spa_atac", "SpaATAC")
class SpaATAC(Attention):
    """Spatial attentional activation, after Dai et al. 2021, https://arxiv.org/abs/2007.07729

    y = x * sigmoid(BN(w2 * relu(BN(w1 * x)))), w1 a depthwise k x k convolution, w2 a k x k convolution to one channel,
    both without bias, so each pixel has one gate for all channels.

    Place: instead of the activation, as `cha_atac`.

    Neither a paper nor code that defines this unit was found: it is the direct counterpart of `cha_atac`, which mixes
    channels at one pixel where this one mixes pixels, and the default is a choice of this library.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        kernel_size: k, odd (default 3).
    """

    slot = "act"

    def __init__(self, channels: int, *, kernel_size: int = 3) -> None:
        super().__init__(channels)
        with self.name_scope():
            self.space = _spatial_gate(channels, odd("kernel_size", kernel_size))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        return fast.spatial_gate(F, x, fast.sigmoid(F, self.space(x)))


@ATTENTIONS.register("seq_atac", "SeqATAC")
class SeqATAC(Attention):
    """Channel, then spatial attentional activation, after Dai et al. 2021, https://arxiv.org/abs/2007.07729

    z = x * sigmoid(BN(W2 relu(BN(W1 x)))), the gate of `cha_atac`; y = z * sigmoid(BN(w2 * relu(BN(w1 * z)))), that of
    `spa_atac`.

    Place: instead of the activation.

    Neither a paper nor code that defines this unit was found: it is one gate after the other, in CBAM's order, and the
    default of kernel_size is a choice of this library.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the hidden width of the first gate (default 2, that paper's for `cha_atac`).
        kernel_size: k of the second, odd (default 3).
    """

    slot = "act"

    def __init__(self, channels: int, *, reduction: int = 2, kernel_size: int = 3) -> None:
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        with self.name_scope():
            self.mlp = pointwise_mlp(channels, hidden, bias=False, norm=True)
            self.space = _spatial_gate(channels, odd("kernel_size", kernel_size))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        x = fast.logistic_gate(F, x, self.mlp(x))
        return fast.spatial_gate(F, x, fast.sigmoid(F, self.space(x)))


def _spatial_gate(channels: int, kernel: int) -> nn.HybridSequential:
    """Depthwise convolution, norm, ReLU, convolution to one map, norm: N,C,H,W -> N,1,H,W."""
    layers = nn.HybridSequential(prefix="")
    layers.add(
        DepthwiseConv(channels, kernel),
        nn.BatchNorm(in_channels=channels),
        nn.Activation("relu"),
        GroupedConv(1, kernel, channels),
        nn.BatchNorm(in_channels=1),
    )
    return layers
