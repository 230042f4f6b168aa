"""Gather-Excite."""

from numbers import Integral
from typing import Any

from mxnet.gluon import HybridBlock, nn

from ..nn import fast
from ..nn.channel_attention import hidden_channels, pointwise_mlp
from ..nn.convolution import DepthwiseConv, GlobalDepthwiseConv
from ..nn.float32_stats import axis_line
from ..nn.tracing import Tensor
from ..utils.checks import choice, positive
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention, ConstantStart, OneMapSize, Size, map_size

EXTENTS = (0, 2, 4, 8)


class GatherExcite(OneMapSize, Attention):
    """y = x * sigmoid(nearest(mlp(gathered(x)))). Subclasses implement `gathered`, and make `mlp` or leave it out."""

    reference_key = "gather_excite"

    mlp: Any = None
    _why = "the kernel covers the whole feature map"

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        small = self.gathered(F, x)
        small = small if self.mlp is None else self.mlp(small)
        if self._extent == 0:
            return fast.channel_gate(F, x, fast.sigmoid(F, small))
        return fast.element_gate(F, x, _resize(F, fast.sigmoid(F, small), x))

    def gathered(self, F: Any, x: Tensor) -> Tensor:
        """The gathering.

        Args:
            F: `mx.nd` or `mx.sym`.
            x: (N,C,H,W).

        Returns:
            (N,C,1,1) for extent 0, else (N,C,H/extent,W/extent), rounded up.
        """
        raise NotImplementedError


@ATTENTIONS.register("ge_theta_minus", "GE_theta-minus", "ge-theta-minus")
class GEThetaMinus(GatherExcite):
    """Gather-Excite without weights (GE-theta-), Hu et al. 2018, https://arxiv.org/abs/1810.12348

    y = x * sigmoid(nearest(avg(x))), the average over windows of 2 extent - 1 pixels every `extent` pixels, resized to
    H,W by nearest neighbor.

    Place: end of the residual branch, before the addition.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        extent: 0 (default: the whole feature map), 2, 4 or 8.
        reduction: C over the hidden width of a perceptron without biases on the averages (default None: no perceptron;
            Att-DARTS, `extra_params=False`, has one of 16).
        variant: "paper" (default), whose windows average the pixels that they cover at the border; "reference" has
            windows of `extent` pixels that do not overlap, as Att-DARTS, for sizes that `extent` divides.
    """

    def __init__(self, channels: int, *, extent: int = 0, reduction: int | None = None, variant: str = "paper") -> None:
        super().__init__(channels)
        self._extent = _extent(extent)
        self._overlap = choice("variant", variant, ("paper", "reference")) == "paper"
        if reduction is not None:
            with self.name_scope():
                self.mlp = _perceptron(channels, reduction)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return None if self.mlp is None else ConstantStart(0.5, (self.mlp[-1],))

    def gathered(self, F: Any, x: Tensor) -> Tensor:
        """Averages, see `GatherExcite.gathered`."""
        if self._extent == 0:
            return fast.global_avg(F, x)
        size, border = (2 * self._extent - 1, self._extent - 1) if self._overlap else (self._extent, 0)
        return F.Pooling(
            x, kernel=(size, size), stride=(self._extent,) * 2, pad=(border, border), pool_type="avg",
            count_include_pad=False,
        )  # fmt: skip


@ATTENTIONS.register("ge_theta", "GE_theta", "ge-theta")
class GETheta(GatherExcite):
    """Gather-Excite with weights in the gathering (GE-theta), Hu et al. 2018, https://arxiv.org/abs/1810.12348

    y = x * sigmoid(nearest(gather(x))), gather a depthwise convolution over the whole feature map with BN (extent 0),
    or log2(extent) depthwise 3x3 convolutions of stride 2 with BN and ReLUs between, resized to H,W by nearest
    neighbor; no biases.

    Place: end of the residual branch, before the addition.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        extent: 0 (default), 2, 4 or 8.
        spatial: height of the feature map, or (height, width); extent 0 needs it and takes feature maps of that size
            only (no default; in a network the plan sets it), other extents take any spatial size.
    """

    def __init__(self, channels: int, *, extent: int = 0, spatial: Size | None = None) -> None:
        super().__init__(channels)
        self._extent, size = _extent(extent), map_size(spatial)
        if self._extent == 0 and size is None:
            raise UserError(
                "extent 0 needs the size of the feature map: give its height as spatial, or an extent of 2, 4 or 8"
            )
        with self.name_scope():
            self.gather = nn.HybridSequential(prefix="")
            if size is not None and self._extent == 0:
                self._map = size
                self._add(GlobalDepthwiseConv(channels, size), relu=False)
            for left in range(self._extent.bit_length() - 2, -1, -1):
                self._add(DepthwiseConv(channels, 3, stride=2), relu=left > 0)

    def _add(self, convolution: HybridBlock, relu: bool) -> None:
        """One convolution of the gathering, and what follows it."""
        self.gather.add(convolution, nn.BatchNorm(in_channels=self._channels))
        if relu:
            self.gather.add(nn.Activation("relu"))

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.5, (self.gather[-1],))

    def gathered(self, F: Any, x: Tensor) -> Tensor:
        """Depthwise convolutions, see `GatherExcite.gathered`."""
        return self.gather(x)


@ATTENTIONS.register("ge_theta_plus", "GE_theta-plus", "ge-theta-plus", "GEBlock")
class GEThetaPlus(GETheta):
    """Gather-Excite with weights in both parts (GE-theta+), Hu et al. 2018, https://arxiv.org/abs/1810.12348

    y = x * sigmoid(nearest(W2 relu(W1 gather(x)))), gather as in `ge_theta`, W1 and W2 1x1 convolutions; no biases.

    Place: end of the residual branch, before the addition.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the perceptron's width (default 16, the paper's).
        extent: 0 (default), 2, 4 or 8.
        spatial: height of the feature map, or (height, width); extent 0 needs it (no default, see `ge_theta`).
    """

    def __init__(self, channels: int, *, extent: int = 0, spatial: Size | None = None, reduction: int = 16) -> None:
        super().__init__(channels, extent=extent, spatial=spatial)
        with self.name_scope():
            self.mlp = _perceptron(channels, reduction)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.5, (self.mlp[-1],))


def _perceptron(channels: int, reduction: int) -> nn.HybridSequential:
    return pointwise_mlp(channels, hidden_channels(channels, positive("reduction", reduction)), bias=False)


def _extent(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value not in EXTENTS:
        raise UserError(f"extent must be 0, 2, 4 or 8, got {value!r}")
    return int(value)


def _resize(F: Any, small: Tensor, x: Tensor) -> Tensor:
    """`small`, (N,C,h,w), resized to H,W of `x` by nearest neighbor: row i takes row floor(i h / H)."""
    for axis in (2, 3):
        have, want = (axis_line(F, array, axis) for array in (small, x))
        rows = F.broadcast_mul(F.contrib.arange_like(want, axis=0), F.sum(F.ones_like(have), keepdims=True))
        rows = F.floor(F.broadcast_div(rows, F.sum(F.ones_like(want), keepdims=True)))
        small = F.take(small, rows, axis=axis)
    return small
