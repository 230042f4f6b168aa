"""Frequency channel attention."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..nn import fast
from ..nn.channel_attention import hidden_channels, pointwise_mlp
from ..nn.tracing import Tensor
from ..utils.checks import positive
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention, ConstantStart, OneMapSize, Size, map_size

#: (row, column) frequencies of a 7x7 map, the most useful first, as the authors found them one by one on ImageNet
TOP = (
    (0, 0), (0, 1), (6, 0), (0, 5), (0, 2), (1, 0), (1, 2), (4, 0),
    (5, 0), (1, 6), (3, 0), (0, 4), (0, 6), (0, 3), (3, 5), (2, 2),
)  # fmt: skip


@ATTENTIONS.register("fca", "FCA", "fcanet", "FcaNet")
class FCA(OneMapSize, Attention):
    """Frequency channel attention of FcaNet, Qin et al. 2021, https://arxiv.org/abs/2012.11879

    y = x * sigmoid(W2 relu(W1 d)), d_c = sum over the pixels i,j of x_cij b_u(i,H) b_v(j,W), where b is the orthonormal
    cosine basis, b_u(i,L) = cos(pi u (i + 1/2) / L) sqrt((u ? 2 : 1) / L), and the channels in groups of one size have
    a frequency (u, v) each; no biases.

    Place: end of the residual branch, before the addition.

    The bases are constants. For feature maps of another size the authors' code pools to the given one, which changes
    the frequencies.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        spatial: height of the feature map, or (height, width); only feature maps of that size are taken (no default;
            in a network the plan sets it).
        frequencies: how many, 1 to 16, a divisor of C (default None: the authors' 16, or the greatest number that
            divides 16 and C); they are the first of the authors' list of the best for 7x7 feature maps, "top16",
            multiplied by floor(H / 7) and floor(W / 7).
        reduction: C over the hidden width (default 16, the paper's).
    """

    def __init__(
        self, channels: int, *, spatial: Size | None = None, frequencies: int | None = None, reduction: int = 16
    ) -> None:
        super().__init__(channels)
        self._map = map_size(spatial)
        if self._map is None:
            raise UserError("fca has a weight for each pixel: give the height of the feature map as spatial")
        self._pixels = self._map[0] * self._map[1]
        frequencies = math.gcd(len(TOP), channels) if frequencies is None else positive("frequencies", frequencies)
        if frequencies > len(TOP):
            raise UserError(f"fca has {len(TOP)} frequencies, got frequencies={frequencies}")
        if channels % frequencies:
            raise UserError(f"frequencies={frequencies} does not divide {channels} channels")
        self._groups = frequencies
        hidden = hidden_channels(channels, positive("reduction", reduction))
        with self.name_scope():
            self.basis = self.params.get_constant("basis", _basis(self._map, TOP[:frequencies]))
            self.mlp = pointwise_mlp(channels, hidden, bias=False)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.5, (self.mlp[-1],))

    def hybrid_forward(self, F: Any, x: Tensor, basis: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        size = self._channels // self._groups
        if fast.compiled():
            spectrum = F.gluon_attn_weighted_pool(x, basis, constant=1)
        elif fast.plain():
            members = F.reshape(x, shape=(0, self._groups, size, -1))
            spectrum = F.sum(F.broadcast_mul(members, F.expand_dims(basis, axis=2)), axis=3)
        else:
            one = F.slice_axis(F.slice_axis(x, axis=1, begin=0, end=1), axis=2, begin=0, end=1)
            one = F.reshape(F.slice_axis(one, axis=3, begin=0, end=1), shape=(0, 1))
            each = F.dot(F.ones_like(one), F.reshape(basis, shape=(1, -1)))  # a copy for each image
            each = F.reshape(each, shape=(-1, self._pixels, 1))
            spectrum = F.batch_dot(F.reshape(x, shape=(-1, size, self._pixels)), each)
        gate = self.mlp(F.reshape(spectrum, shape=(-1, self._channels, 1, 1)))
        return fast.channel_gate(F, x, fast.sigmoid(F, gate))


def _basis(size: tuple[int, int], frequencies: Sequence[tuple[int, int]]) -> np.ndarray:
    """(1,groups,H*W): the pixels' weights of each frequency."""
    maps = []
    for pair in frequencies:
        rows, columns = (_cosine(frequency * (side // 7), side) for frequency, side in zip(pair, size, strict=True))
        maps.append(np.outer(rows, columns).reshape(-1))
    return np.stack(maps)[None].astype("float32")


def _cosine(frequency: int, length: int) -> np.ndarray:
    wave = np.cos(np.pi * frequency * (np.arange(length) + 0.5) / length)
    return wave * np.sqrt((2 if frequency else 1) / length)
