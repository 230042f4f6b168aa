"""Attention-augmented convolution."""

from numbers import Real
from typing import Any

from mxnet.gluon import nn

from ..nn.self_attention import RelativeSelfAttention
from ..nn.tracing import Tensor
from ..utils.checks import positive
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention, OneMapSize, Size, map_size

#: the fewest channels of a head's keys, as in the paper's experiments
LEAST_KEYS = 20


@ATTENTIONS.register("aa", "AA", "AAConv", "attention_augmented")
class AttentionAugmented(OneMapSize, Attention):
    """Attention-augmented convolution, Bello et al. 2019, https://arxiv.org/abs/1904.09925

    y = concat(conv3x3(x), W attention(x)), the attention multi-head over all pixels with relative logits (see `bot`)
    and dv channels out, W a 1x1 convolution of them, the 3x3 convolution giving the other C - dv; all with biases.

    Place: in place of the 3x3 convolution (the paper: in the last three stages).

    The paper downsamples large feature maps for the attention and upsamples the result; here it takes the whole feature
    map.

    Shape: N,C,H,W -> N,C,H,W; with a stride N,C,H/stride,W/stride, rounded up.

    Args:
        channels: C.
        heads: their number (default None: the paper's 8, but at most C / 2).
        key_share: width of the keys of all heads over C (default 0.2, the paper's kappa); a head has at least 20, as in
            the paper's experiments.
        value_share: dv over C (default 0.1, the paper's upsilon), dv being the nearest number that the heads divide, at
            least one channel each; 1 leaves no convolution.
        spatial: height of the feature map, or (height, width); it takes feature maps of that size only (no default; in
            a network the plan sets it).
        stride: of the convolution (default 1); the attention then takes averages of stride x stride pixels.
    """

    slot = "conv"

    def __init__(
        self,
        channels: int,
        *,
        heads: int | None = None,
        key_share: float = 0.2,
        value_share: float = 0.1,
        spatial: Size | None = None,
        stride: int = 1,
    ) -> None:
        super().__init__(channels)
        heads = min(8, max(1, channels // 2)) if heads is None else positive("heads", heads)
        keys = max(LEAST_KEYS, round(_share("key_share", key_share) * channels / heads))
        if heads > channels:
            raise UserError(f"aa gives each of its {heads} heads a channel, but has {channels}: take fewer heads")
        wanted = round(_share("value_share", value_share) * channels / heads)
        values = min(max(1, wanted), channels // heads)
        rest = channels - heads * values
        self._map = map_size(spatial)
        if self._map is None:
            raise UserError("aa has weights for distances in the feature map: give its height as spatial")
        height, width = (-(-side // positive("stride", stride)) for side in self._map)
        with self.name_scope():
            self.conv = nn.Conv2D(rest, 3, stride, padding=1, in_channels=channels) if rest else None
            self.attention = RelativeSelfAttention(
                channels, heads=heads, keys=keys, values=values, size=(height, width), bias=True
            )  # fmt: skip
            self.pool = None
            if stride > 1:
                self.pool = nn.AvgPool2D(stride, stride, ceil_mode=True, count_include_pad=False)
            self.mix = nn.Conv2D(heads * values, 1, in_channels=heads * values)

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H/stride,W/stride, rounded up."""
        small = self.pool(x) if self.pool else x
        attended = self.mix(self.attention(small))
        if not self.conv:
            return attended
        # flat: oneDNN's gradient of concatenated feature maps fails unless 16 divides the channels of both
        parts = (F.reshape(part, shape=(0, 0, -1)) for part in (self.conv(x), attended))
        return F.reshape_like(F.concat(*parts, dim=1), small)


def _share(name: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) <= 1:
        raise UserError(f"{name} must be a number above 0 and at most 1, got {value!r}")
    return value
