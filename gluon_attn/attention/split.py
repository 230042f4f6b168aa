"""Split attention, the convolution of ResNeSt."""

from typing import Any

from mxnet.gluon import nn

from ..nn import fast
from ..nn.channel_attention import branch_softmax, gated_sum
from ..nn.float32_stats import InFloat32
from ..nn.tracing import Tensor
from ..utils.checks import positive
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention

#: the authors' floor of the hidden width
NARROWEST = 32


@ATTENTIONS.register("split", "split_attention", "SplAt", "SplitAttention", "resnest")
class SplitAttention(InFloat32, Attention):
    """Split attention, the convolution of ResNeSt, Zhang et al. 2020, https://arxiv.org/abs/2004.08955

    u_1 .. u_R = relu(BN(conv x)), one 3x3 convolution in groups * R groups; z = relu(BN(W1 avg(u_1 + ... + u_R))); y =
    sum of a_r u_r, a_r = softmax over r of (W2 z), or sigmoid(W2 z) if R = 1; W1 and W2 1x1 convolutions with biases in
    `groups` groups.

    Place: instead of the 3x3 convolution with the norm and activation after it.

    Parts have GluonCV's names.

    Shape: N,C,H,W -> N,C,H,W; with a stride N,C,H/stride,W/stride, rounded up.

    Args:
        channels: C.
        radix: R (default 2, the paper's).
        groups: the cardinality (default 1, the paper's); groups * radix divides C.
        reduction: C * R over the hidden width, which is at least 32 (default 4, the authors').
        stride: by a 3x3 average pooling after the module, which counts the zeros of its padding, as the authors'
            networks (default 1: none).
    """

    reference_key = "split"

    slot = "conv"
    normed = True

    def __init__(self, channels: int, *, radix: int = 2, groups: int = 1, reduction: int = 4, stride: int = 1) -> None:
        super().__init__(channels)
        self._radix, self._groups = positive("radix", radix), positive("groups", groups)
        hidden = max(channels * radix // positive("reduction", reduction), NARROWEST)
        self._stride = positive("stride", stride)
        if channels % (groups * radix) or hidden % groups:
            raise UserError(
                f"split needs groups of one size: radix={radix} times groups={groups} does not divide {channels} "
                f"channels, or groups a hidden width of {hidden}"
            )
        with self.name_scope():
            self.conv = nn.Conv2D(
                channels * radix, 3, padding=1, groups=groups * radix, use_bias=False, in_channels=channels
            )
            self.bn = nn.BatchNorm(in_channels=channels * radix)
            self.fc1 = nn.Conv2D(hidden, 1, groups=groups, in_channels=channels)
            self.bn1 = nn.BatchNorm(in_channels=hidden)
            self.fc2 = nn.Conv2D(channels * radix, 1, groups=groups, in_channels=hidden)

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H/stride,W/stride, rounded up."""
        x = F.relu(self.bn(self.conv(x)))
        maps = [x] if self._radix == 1 else list(F.SliceChannel(x, num_outputs=self._radix, axis=1))
        pooled = F.add_n(*[fast.global_avg(F, u) for u in maps])
        logits = self.fc2(F.relu(self.bn1(self.fc1(pooled))))
        if self._radix == 1:
            y = fast.channel_gate(F, x, fast.sigmoid(F, logits))
        else:
            gates = branch_softmax(F, self.widen(F, logits), self._radix, groups=self._groups)
            y = gated_sum(F, maps, [self.narrow(F, gate) for gate in gates])
        if self._stride == 1:
            return y
        return F.Pooling(y, kernel=(3, 3), stride=(self._stride,) * 2, pad=(1, 1), pool_type="avg")
