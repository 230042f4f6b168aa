"""Multi-head self-attention of BoTNet."""

from typing import Any

from ..nn.self_attention import RelativeSelfAttention
from ..nn.tracing import Tensor
from ..utils.checks import choice
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention, OneMapSize, Size, head_count, map_size


@ATTENTIONS.register("bot", "BoT", "mhsa", "MHSA", "botnet")
class BoT(OneMapSize, Attention):
    """Multi-head self-attention of BoTNet, Srinivas et al. 2021, https://arxiv.org/abs/2101.11605

    y_p = sum_p' softmax_p'(q_p . (k_p' + row(y' - y) + column(x' - x))) v_p' in each head, over all pixels p', q scaled
    by the root of the head's width; q, k, v 1x1 convolutions without biases; one vector for each distance in rows and
    one for each in columns serve all heads.

    Place: in place of the 3x3 convolution (the paper: in the last stage).

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        heads: a divisor of C (default None: the paper's 4, or the greatest number that divides 4 and C).
        spatial: height of the feature map, or (height, width); it takes feature maps of that size only (no default; in
            a network the plan sets it).
        variant: "paper" (default) or "timm": the products with the keys alone are scaled, and one convolution gives q,
            k and v.
    """

    reference_key = "bot"

    slot = "conv"

    def __init__(
        self, channels: int, *, heads: int | None = None, spatial: Size | None = None, variant: str = "paper"
    ) -> None:
        super().__init__(channels)
        heads = head_count("bot", heads, channels, 4)
        self._map = map_size(spatial)
        if self._map is None:
            raise UserError("bot has weights for distances in the feature map: give its height as spatial")
        width, timm = channels // heads, choice("variant", variant, ("paper", "timm")) == "timm"
        with self.name_scope():
            self.attention = RelativeSelfAttention(
                channels, heads=heads, keys=width, values=width, size=self._map, bias=False, timm=timm
            )

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        return self.attention(x)
