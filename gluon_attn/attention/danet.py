"""Position and channel attention of DANet."""

from typing import Any

from ..nn import fast
from ..nn.channel_attention import hidden_channels
from ..nn.convolution import PointwiseConv
from ..nn.float32_stats import InFloat32
from ..nn.self_attention import attend
from ..nn.tracing import Tensor
from ..utils.checks import positive
from .base import ATTENTIONS, Attention, ConstantStart


class GatedResidual(InFloat32, Attention):
    """y = gamma * attended(x) + x, gamma one number, initially 0. Subclasses implement `attended`.

    Args:
        channels: C.
    """

    slot = "stage"

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        with self.name_scope():
            self.gamma = self.params.get("gamma", shape=(1, 1, 1, 1), init="zeros")

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(1, (self.gamma,))

    def attended(self, F: Any, x: Tensor) -> Tensor:
        """The residual branch without gamma.

        Args:
            F: `mx.nd` or `mx.sym`.
            x: (N,C,H,W).

        Returns:
            (N,C,HW), in float32 or wider, see `InFloat32.widen`.
        """
        raise NotImplementedError

    def hybrid_forward(self, F: Any, x: Tensor, gamma: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        y = F.reshape_like(self.narrow(F, self.attended(F, x)), x)
        if fast.plain():
            return x + F.broadcast_mul(y, gamma)
        if fast.compiled():
            both = F.concat(F.BlockGrad(F.ones_like(gamma)), gamma, dim=0)
            return fast.weighted_sum(F, [x, y], F.reshape(both, shape=(-1,)))
        corner = F.slice_axis(F.slice_axis(x, axis=2, begin=0, end=1), axis=3, begin=0, end=1)
        return x + fast.channel_scale(F, y, F.broadcast_mul(F.BlockGrad(F.ones_like(corner)), gamma))

    def _rows(self, F: Any, x: Tensor) -> Tensor:
        """(N,C,H,W) -> (N,C,HW), wide."""
        return self.widen(F, F.reshape(x, shape=(0, 0, -1)))


@ATTENTIONS.register("pam", "PAM", "PositionAttention")
class PAM(GatedResidual):
    """Position attention of DANet, Fu et al. 2018, https://arxiv.org/abs/1809.02983

    y = gamma * sum_p' softmax_p'(q_p . k_p') v_p' + x over all pixels p', q and k 1x1 convolutions to C / reduction
    channels, v one to C, with biases; gamma one number, initially 0.

    Place: after a stage (in DANet the last).

    The products are not scaled.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the width of q and k (default 8, the paper's).
    """

    def __init__(self, channels: int, *, reduction: int = 8) -> None:
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        with self.name_scope():
            self.query = PointwiseConv(hidden, channels)
            self.key = PointwiseConv(hidden, channels)
            self.value = PointwiseConv(channels, channels)

    def attended(self, F: Any, x: Tensor) -> Tensor:
        """sum_p' softmax_p'(q_p . k_p') v_p', see `GatedResidual.attended`."""
        query, key, value = (self._rows(F, layer(x)) for layer in (self.query, self.key, self.value))
        return attend(F, F.batch_dot(query, key, transpose_a=True), value)


@ATTENTIONS.register("cam", "CAM", "ChannelAttention")
class CAM(GatedResidual):
    """Channel attention of DANet, Fu et al. 2018, https://arxiv.org/abs/1809.02983

    y = gamma * softmax(max(E) - E) X + x, X the C x HW matrix, E = X X^T, maximum and softmax along the rows of E;
    gamma one number, initially 0.

    Place: after a stage (in DANet the last).

    The paper writes softmax(E); the form above is that of the authors' code.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
    """

    def attended(self, F: Any, x: Tensor) -> Tensor:
        """softmax(max(E) - E) X, see `GatedResidual.attended`."""
        rows = self._rows(F, x)
        # a softmax does not change if a constant is added to its row, so the maximum is not needed
        weights = fast.softmax(F, -F.batch_dot(rows, rows, transpose_b=True))
        return F.batch_dot(weights, rows)


@ATTENTIONS.register("danet", "DANet", "dual_attention")
class DANet(Attention):
    """Dual attention, position and channel, Fu et al. 2018, https://arxiv.org/abs/1809.02983

    y = pam(x) + cam(x), see `pam` and `cam`; with both gammas 0 it starts as 2 x.

    Place: after a stage (in DANet the last).

    DANet's head has convolutions before and after each of the two; here they are left out.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the width of q and k in `pam` (default 8, the paper's).
    """

    slot = "stage"

    def __init__(self, channels: int, *, reduction: int = 8) -> None:
        super().__init__(channels)
        with self.name_scope():
            self.pam = PAM(channels, reduction=reduction)
            self.cam = CAM(channels)

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        return self.pam(x) + self.cam(x)
