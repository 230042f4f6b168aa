"""An attention from outside the package: installed by pip, or named by --plugin power_attention.py."""

from typing import Any

import gluon_attn
from gluon_attn.nn import fast
from gluon_attn.utils.checks import above
from mxnet.gluon import nn


@gluon_attn.register_attention("power")
class Power(gluon_attn.Attention):
    """Gates each channel by its power: y = x * sigmoid(w * avg(|x| ** exponent) + b), w and b per channel.

    Args:
        channels: C.
        exponent: above 0 (default 2).
    """

    def __init__(self, channels: int, *, exponent: float = 2.0) -> None:
        super().__init__(channels)
        self._exponent = above("exponent", exponent)
        with self.name_scope():
            self.gate = nn.Conv2D(channels, 1, groups=channels, in_channels=channels)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        power = fast.global_avg(F, F.abs(x) ** self._exponent)
        return fast.channel_gate(F, x, fast.sigmoid(F, self.gate(power)))
