"""Grouped bilinear attentional transforms."""

from typing import Any

from mxnet.gluon import nn

from ..nn.channel_attention import hidden_channels
from ..nn.float32_stats import InFloat32, axis_line
from ..nn.tracing import Tensor
from ..utils.checks import positive, rate
from .base import ATTENTIONS, Attention


@ATTENTIONS.register("bat", "BAT", "BatNonLocalAttn")
class BAT(InFloat32, Attention):
    """Grouped bilinear attentional transform, Chi et al. 2020, https://openaccess.thecvf.com/content_CVPR_2020/html/Chi_Non-Local_Neural_Networks_With_Grouped_Bilinear_Attentional_Transforms_CVPR_2020_paper.html

    With B x B blocks of the feature map: z = relu(BN(W1 x)), C / reduction channels; m = relu(BN(Wm z)), one channel
    per group; p = sigmoid(convolution of m's maxima over each row of blocks), B x B numbers per group, each row divided
    by its sum; q the same of the columns, each column divided by its sum; block (a,b) of t = sum over (i,j) of p_ai
    q_jb block (i,j) of z; y = x + dropout(relu(BN(W3 relu(BN(W2 t))))).

    Place: end of the residual branch, before the addition.

    A feature map whose size B does not divide is padded with zeros after W1 and Wm; timm refuses it.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the inner width (default 4, timm's; the width is rounded up to a multiple of `groups`, in timm
            to one of 8).
        block_size: B (default 7, timm's).
        groups: groups of inner channels that share p and q (default 2, timm's).
        drop_rate: of the dropout of whole channels (default 0.2, timm's).
    """

    reference_key = "bat"

    def __init__(
        self, channels: int, *, reduction: int = 4, block_size: int = 7, groups: int = 2, drop_rate: float = 0.2
    ) -> None:
        super().__init__(channels)
        self._block, self._groups = positive("block_size", block_size), positive("groups", groups)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        self._hidden = hidden = -(-hidden // groups) * groups
        with self.name_scope():
            self.squeeze, self.expand = _layer(hidden, channels), _layer(channels, hidden)
            self.maps, self.mix = _layer(groups, hidden), _layer(hidden, hidden)
            self.rows, self.columns = (
                nn.Conv2D(groups * block_size**2, kernel, in_channels=groups)
                for kernel in ((block_size, 1), (1, block_size))
            )
            self.dropout = nn.Dropout(rate("drop_rate", drop_rate), axes=(2, 3))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        z = self.squeeze(x)
        group_map = self.maps(z)
        (left, same_row), (right, same_column) = (tiles(F, z, axis, self._block) for axis in (2, 3))
        left, same_row, right, same_column = (
            self.narrow(F, self.widen(F, array)) for array in (left, same_row, right, same_column)
        )
        p = self._weights(F, self.rows(self._maxima(F, F.max(group_map, axis=3), left, 3)), axis=2)
        q = self._weights(F, self.columns(self._maxima(F, F.max(group_map, axis=2), right, 2)), axis=1)
        lines = F.reshape(z, shape=(-1, 0, 0), reverse=True)  # (N*hidden,H,W)
        lines = F.batch_dot(self._spread(F, p, left, same_row), lines)
        t = F.batch_dot(lines, self._spread(F, q, right, same_column))
        return x + self.dropout(self.expand(self.mix(F.reshape_like(t, z))))

    def _maxima(self, F: Any, lines: Tensor, members: Tensor, axis: int) -> Tensor:
        """Maxima over the tiles of `lines` (N,groups,L), none below 0: (N,groups,B,1) or, axis 2, (N,groups,1,B)."""
        inside = F.broadcast_mul(F.expand_dims(lines, axis=2), F.reshape(members, shape=(1, 1, self._block, -1)))
        return F.expand_dims(F.max(inside, axis=3), axis=axis)

    def _weights(self, F: Any, logits: Tensor, axis: int) -> Tensor:
        """(N*hidden,B,B) for the channels from (N,groups*B*B,1,1), with sums of 1 along `axis`."""
        logits = self.widen(F, F.reshape(logits, shape=(-1, self._block, self._block)))
        # sigmoid over its sum, by logarithms: far below zero all sigmoids are 0
        weights = self.narrow(F, F.softmax(-F.Activation(-logits, act_type="softrelu"), axis=axis))
        each = F.tile(F.reshape(weights, shape=(-1, 1, self._block**2)), reps=(1, self._hidden // self._groups, 1))
        return F.reshape(each, shape=(-1, self._block, self._block))

    def _spread(self, F: Any, weights: Tensor, members: Tensor, same: Tensor) -> Tensor:
        """From weights of tiles (M,B,B) to weights of positions (M,L,L), for equal offsets in the tiles."""
        for _ in range(2):
            weights = F.dot(F.SwapAxis(weights, dim1=1, dim2=2), members)
        return F.broadcast_mul(weights, same)


def tiles(F: Any, x: Tensor, axis: int, count: int) -> tuple[Tensor, Tensor]:
    """The tile of each position along `axis`, out of `count` tiles of one length, and the offset in it.

    The length is that of the axis over `count`, rounded up, so that the last tiles may lack positions.

    Args:
        F: `mx.nd` or `mx.sym`.
        x: N,C,H,W.
        axis: 2 or 3, of length L.
        count: number of tiles.

    Returns:
        Two arrays of 0 and 1 in float32: (count,L), the tile of each position, and (1,L,L), whether two positions have
        the same offset in their tiles.
    """
    line = F.BlockGrad(axis_line(F, x, axis))
    position = F.reshape(F.contrib.arange_like(line, axis=0), shape=(1, -1))
    length = F.ceil(F.reshape(F.sum(F.ones_like(line)), shape=(1, 1)) / count)
    tile = F.floor(F.broadcast_div(position, length))
    offset = F.broadcast_sub(position, F.broadcast_mul(tile, length))
    members = F.concat(*[tile == number for number in range(count)], dim=0)
    return members, F.broadcast_equal(F.reshape(offset, shape=(1, -1, 1)), F.reshape(offset, shape=(1, 1, -1)))


def _layer(channels: int, in_channels: int) -> nn.HybridSequential:
    """1x1 convolution, norm, ReLU."""
    layers = nn.HybridSequential(prefix="")
    layers.add(
        nn.Conv2D(channels, 1, use_bias=False, in_channels=in_channels),
        nn.BatchNorm(in_channels=channels),
        nn.Activation("relu"),
    )
    return layers
