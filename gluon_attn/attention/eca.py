"""Efficient Channel Attention, its circular form and its two-layer form."""

import math
from numbers import Real
from typing import Any

from mxnet.gluon import nn

from ..nn import fast
from ..nn.channel_attention import hidden_channels
from ..nn.tracing import Tensor
from ..utils.checks import odd, positive
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention, ConstantStart


def eca_kernel(channels: int, gamma: float = 2, b: float = 1) -> int:
    """The paper's kernel size for C channels: |(log2 C + b) / gamma| cut to a whole number, plus 1 when even."""
    if not all(isinstance(value, Real) and math.isfinite(value) for value in (gamma, b)) or gamma <= 0:
        raise UserError(f"eca takes a number above 0 as gamma and a number as b, got {gamma!r} and {b!r}")
    size = int(abs((math.log2(channels) + b) / gamma))
    return size if size % 2 else size + 1


@ATTENTIONS.register("eca", "ECA")
class ECA(Attention):
    """Efficient Channel Attention, Wang et al. 2020, https://arxiv.org/abs/1910.03151

    y = x * sigmoid(conv1d_k(avg(x))), the convolution along the channels, zero padded, without bias.

    Place: end of the residual branch, before the addition.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        kernel_size: k, odd (default None: the paper's formula from C, `gamma` and `b`; 16 to 64 channels give 3, 128 to
            1024 give 5, 2048 gives 7). The authors' released ResNets use hand-set kernels instead: pass `kernel_size`
            for those.
        gamma: of the formula (default None: 2, the paper's); an error if kernel_size is given.
        b: of the formula (default None: 1, the paper's); an error if kernel_size is given.
    """

    def __init__(
        self, channels: int, *, kernel_size: int | None = None, gamma: float | None = None, b: float | None = None
    ) -> None:
        super().__init__(channels)
        if kernel_size is None:
            kernel_size = eca_kernel(channels, 2 if gamma is None else gamma, 1 if b is None else b)
        elif gamma is not None or b is not None:
            raise UserError("eca takes kernel_size, or gamma and b, not both")
        with self.name_scope():
            self.conv = nn.Conv1D(
                1, odd("kernel_size", kernel_size), padding=kernel_size // 2, use_bias=False, in_channels=1
            )

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.5, (self.conv,))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        along = F.reshape(fast.global_avg(F, x), shape=(0, 1, -1))
        gate = F.reshape(self.conv(along), shape=(0, -1, 1, 1))
        return fast.channel_gate(F, x, fast.sigmoid(F, gate))


@ATTENTIONS.register("ceca", "CECA")
class CECA(Attention):
    """Circular Efficient Channel Attention, Wang et al. 2020 with timm's padding, https://arxiv.org/abs/1910.03151

    y = x * sigmoid(conv1d_k(avg(x))) as in `eca`, but the channels are a ring: the convolution continues from the last
    to the first, so each channel has k neighbors; no bias.

    Place: end of the residual branch, before the addition.

    The paper pads with zeros; the ring is an idea of timm's (`ceca`), which takes no kernel below 3.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        kernel_size: k, odd, at most 2 C + 1 (default None: the paper's formula from C, see `eca`).
    """

    def __init__(self, channels: int, *, kernel_size: int | None = None) -> None:
        super().__init__(channels)
        kernel_size = eca_kernel(channels) if kernel_size is None else odd("kernel_size", kernel_size)
        self._reach = kernel_size // 2
        if self._reach > channels:
            raise UserError(f"ceca takes a kernel_size of at most {2 * channels + 1} here, got {kernel_size}")
        with self.name_scope():
            self.conv = nn.Conv1D(1, kernel_size, use_bias=False, in_channels=1)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.5, (self.conv,))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        line = F.reshape(fast.global_avg(F, x), shape=(0, 1, -1))
        if self._reach:
            before = F.slice_axis(line, axis=2, begin=-self._reach, end=None)
            line = F.concat(before, line, F.slice_axis(line, axis=2, begin=0, end=self._reach), dim=2)
        gate = F.reshape(self.conv(line), shape=(0, -1, 1, 1))
        return fast.channel_gate(F, x, fast.sigmoid(F, gate))


@ATTENTIONS.register("eca_mlp", "ECAMLP")
class ECAMLP(Attention):
    """Efficient Channel Attention with a hidden layer, after timm; ECA is https://arxiv.org/abs/1910.03151

    y = x * sigmoid(conv1d_k(relu(conv1d_1(avg(x))))) along the channels: the first convolution makes 1 channel into C /
    reduction, the second brings them back to 1, zero padded; both with bias.

    Place: end of the residual branch, before the addition.

    No paper has this form.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the hidden width (default 8, timm's, which rounds the width to a multiple of 8).
        kernel_size: k, odd (default None: ECA's formula from C).
    """

    reference_key = "eca_mlp"

    def __init__(self, channels: int, *, reduction: int = 8, kernel_size: int | None = None) -> None:
        super().__init__(channels)
        kernel_size = eca_kernel(channels) if kernel_size is None else odd("kernel_size", kernel_size)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        with self.name_scope():
            self.squeeze = nn.Conv1D(hidden, 1, in_channels=1)
            self.conv = nn.Conv1D(1, kernel_size, padding=kernel_size // 2, in_channels=hidden)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.5, (self.conv,))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        line = F.reshape(fast.global_avg(F, x), shape=(0, 1, -1))
        gate = F.reshape(self.conv(F.relu(self.squeeze(line))), shape=(0, -1, 1, 1))
        return fast.channel_gate(F, x, fast.sigmoid(F, gate))
