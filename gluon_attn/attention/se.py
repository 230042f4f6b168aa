"""Squeeze-and-Excitation."""

from typing import Any

from ..nn import fast
from ..nn.channel_attention import ROUNDINGS, hidden_channels, pointwise_mlp, rounded_channels
from ..nn.tracing import Tensor
from ..utils.checks import choice, positive, switch
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("se", "SE", "SELayer")
class SE(Attention):
    """Squeeze-and-Excitation, Hu et al. 2018, https://arxiv.org/abs/1709.01507

    y = x * sigmoid(W2 relu(W1 avg(x))), the average over H and W.

    Place: end of the residual branch, before the addition; in inverted residual blocks after the depthwise convolution.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the hidden width (default 16, the paper's).
        narrowest: the least hidden width (default 1; timm's networks have 8).
        bias: both layers have biases (default True, as in the authors' networks; Att-DARTS, ANAS and the ECA
            reproduction leave them out).
        rounding: of the hidden width: "down" (default) to a whole number; "nearest" or "up" to a multiple of 8, as in
            torchvision's and GluonCV's MobileNetV3.
        activation: between the layers (default "relu"; EfficientNet has swish, "silu" here).
        gate: "sigmoid" (default), or "hard_sigmoid" as in MobileNetV3.
        block_channels: number of channels that `reduction` divides in place of C (default None: C). "input": those of
            the block's input, which a plan fills in, as in EfficientNet and RegNet.
    """

    reference_key = "se"

    def __init__(
        self,
        channels: int,
        *,
        reduction: int = 16,
        narrowest: int = 1,
        bias: bool = True,
        rounding: str = "down",
        activation: str = "relu",
        gate: str = "sigmoid",
        block_channels: int | str | None = None,
    ) -> None:
        super().__init__(channels)
        whole = channels if block_channels is None else positive("block_channels", block_channels)
        hidden = hidden_channels(whole, positive("reduction", reduction), positive("narrowest", narrowest))
        hidden = rounded_channels(hidden, choice("rounding", rounding, ROUNDINGS))
        self._hard = choice("gate", gate, ("sigmoid", "hard_sigmoid")) == "hard_sigmoid"
        with self.name_scope():
            self.mlp = pointwise_mlp(channels, hidden, bias=switch("bias", bias), activation=activation)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.5, (self.mlp[-1],))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        sigmoid = fast.hard_sigmoid if self._hard else fast.sigmoid
        return fast.channel_gate(F, x, sigmoid(F, self.mlp(fast.global_avg(F, x))))
