"""No attention: the plain network as one more choice of a search or a comparison."""

from .base import ATTENTIONS, Attention


@ATTENTIONS.register("identity", "Identity", "none")
class Identity(Attention):
    """y = x. Shapes: N,C,H,W -> N,C,H,W; no weights, no options. Goes wherever an attention does."""

    def hybrid_forward(self, F, x):
        return F.identity(x)
