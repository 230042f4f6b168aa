"""No attention: the plain network as one more choice of a search or a comparison."""

from typing import Any

from ..nn.tracing import Tensor
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("identity", "Identity", "none")
class Identity(Attention):
    """y = x. Shape: N,C,H,W -> N,C,H,W; no weights, no options. Fits every slot."""

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(1)

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        return F.identity(x)
