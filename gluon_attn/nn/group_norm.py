"""Group normalisation of maps."""

from mxnet.gluon import HybridBlock

from . import fast
from .float32_stats import InFloat32


class GroupNorm(InFloat32, HybridBlock):
    """N,C,H,W with each of `groups` runs of channels normalised over channels and pixels; a scale and shift a channel.

    channels: C. groups: divides C. epsilon: added to the variance (default 1e-5). The statistics are taken in float32.
    MXNet's own runs slowly on a CPU and has no ONNX converter.
    """

    def __init__(self, channels, groups, *, epsilon=1e-5):
        super().__init__()
        self._groups, self._members, self._epsilon = groups, channels // groups, epsilon
        with self.name_scope():
            self.gamma = self.params.get("gamma", shape=(1, channels, 1, 1), init="ones")
            self.beta = self.params.get("beta", shape=(1, channels, 1, 1), init="zeros")

    def hybrid_forward(self, F, x, gamma, beta):
        wide = self.widen(F, x)
        rest = fast.channel_shift(F, wide, -self._shared(F, fast.global_avg(F, wide)))
        variance = self._shared(F, fast.global_avg(F, F.square(rest)))
        scale = F.broadcast_div(self.widen(F, gamma), F.sqrt(variance + self._epsilon))
        shift = F.broadcast_add(F.zeros_like(scale), self.widen(F, beta))
        return self.narrow(F, fast.channel_shift(F, fast.channel_gate(F, rest, scale), shift))

    def _shared(self, F, means):
        """(N,C,1,1) -> the same, each its group's mean."""
        line = F.mean(F.reshape(means, shape=(0, self._groups, -1)), axis=2)
        return F.reshape(F.repeat(line, repeats=self._members, axis=1), shape=(0, -1, 1, 1))
