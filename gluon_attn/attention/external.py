"""External attention."""

from mxnet import init
from mxnet.gluon import nn

from ..nn import fast
from ..nn.float32_stats import InFloat32
from ..utils.checks import positive
from .base import ATTENTIONS, Attention


@ATTENTIONS.register("external", "ExternalAttention", "external_attention")
class External(InFloat32, Attention):
    """External attention, Guo et al. 2021, https://arxiv.org/abs/2105.02358

    A = M_k x at every pixel, `memory` numbers each; a softmax of A over all pixels, then divided by its sum over the
    `memory` numbers; y = x + M_v A; M_k and M_v 1x1 convolutions without biases, normal with deviation 0.001 at first
    as in the authors' code; N,C,H,W -> N,C,H,W. Place: after a stage (in the paper's network the last).

    channels: C. memory: S, the units of the two memories (default 64, the paper's). The paper's formula is M_v A; its
    network adds x, and has 1x1 convolutions before and behind that are left out here.
    """

    slot = "stage"

    def __init__(self, channels, *, memory=64):
        super().__init__(channels)
        self._memory = positive("memory", memory)
        small = {"use_bias": False, "weight_initializer": init.Normal(0.001)}
        with self.name_scope():
            self.key = nn.Conv2D(memory, 1, in_channels=channels, **small)
            self.value = nn.Conv2D(channels, 1, in_channels=memory, **small)

    def hybrid_forward(self, F, x):
        logits = self.key(x)
        share = fast.softmax(F, self.widen(F, F.reshape(logits, shape=(0, 0, -1))))
        share = F.reshape_like(share, logits)
        total = fast.channel_mean(F, share) * self._memory
        return x + self.value(self.narrow(F, fast.spatial_gate(F, share, 1 / (total + 1e-9))))
