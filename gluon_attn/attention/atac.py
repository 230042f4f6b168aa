"""Attentional activation units ("Attention as Activation")."""

from ..nn import fast
from ..nn.mlp import hidden_channels, pointwise_mlp
from .base import ATTENTIONS, Attention, positive, switch


@ATTENTIONS.register("cha_atac", "ChaATAC", "atac")
class ChaATAC(Attention):
    """Channel attentional activation, Dai et al. 2021, https://arxiv.org/abs/2007.07729

    y = x * sigmoid(BN(W2 relu(BN(W1 x)))), both layers 1x1 convolutions without bias at every pixel;
    N,C,H,W -> N,C,H,W. Place: instead of the activation; in post-activation blocks the one after the addition
    stays a ReLU.

    channels: C. reduction: C over the hidden width (default 2, the paper's). relu: the inner ReLU (default
    True). global_pool: average over H and W first, which makes the gate one number a channel (default False);
    both are the ablations of the paper's table 2.
    """

    slot = "act"

    def __init__(self, channels, *, reduction=2, relu=True, global_pool=False):
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        self._global_pool = switch("global_pool", global_pool)
        with self.name_scope():
            self.mlp = pointwise_mlp(channels, hidden, bias=False, norm=True, relu=switch("relu", relu))

    def hybrid_forward(self, F, x):
        if self._global_pool:
            return fast.channel_gate(F, x, fast.sigmoid(F, self.mlp(fast.global_avg(F, x))))
        return x * fast.sigmoid(F, self.mlp(x))
