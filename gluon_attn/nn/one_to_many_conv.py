"""The convolution of one channel to many that has a compiled operator, for training (see `convolution.py`)."""

from typing import Any

import mxnet as mx
from mxnet.gluon import nn

from .convolution import compiled, with_bias
from .tracing import Tensor


class OneToManyConv(nn.Conv2D):
    """Convolution of one channel to many, padded to keep the size: (N,1,H,W) -> (N,channels,H,W).

    Args:
        channels: of the output.
        kernel_size: odd.
        use_bias: default False.
        weight_initializer: default None: that of the network.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int,
        *,
        use_bias: bool = False,
        weight_initializer: mx.init.Initializer | None = None,
    ) -> None:
        self._sizes = {"channels": channels, "kernel": kernel_size}
        super().__init__(
            channels, kernel_size, padding=kernel_size // 2, use_bias=use_bias, in_channels=1,
            weight_initializer=weight_initializer,
        )  # fmt: skip

    def hybrid_forward(self, F: Any, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """(N,1,H,W) -> (N,channels,H,W)."""
        if not compiled(self):
            return super().hybrid_forward(F, x, weight, bias)
        return with_bias(F.gluon_attn_one_to_many, x, weight, bias, **self._sizes)
