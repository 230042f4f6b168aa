"""Dense-and-Implicit Attention, and its LSTM cell."""

from typing import Any

from mxnet.gluon import HybridBlock, nn

from ..nn import fast
from ..nn.channel_attention import hidden_channels
from ..nn.tracing import Tensor
from ..utils.checks import positive
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("dia", "DIA", "DIANet")
class DIA(Attention):
    """Dense-and-Implicit Attention, Huang et al. 2019, https://arxiv.org/abs/1905.10671

    h, c = cell(avg(x), h, c); y = x * h, the average over H and W, the cell an LSTM's with narrow gates and
    sigmoid(c) in place of tanh(c) (`LSTMCell` in `attention/dia.py`). `dia(x, h, c)` gives (y, h, c), `dia(x)` starts
    with zeros and gives y alone.

    Place: end of the residual branch, before the addition; one module serves all blocks of a stage, and its state h, c
    goes from one block to the next. Blocks that a scheme leaves out pass the state on.

    Shape: N,C,H,W -> N,C,H,W; h and c: N,layers*C.

    Args:
        channels: C.
        reduction: C over the width inside the gates, which is at least 1 (default 4, the paper's; EAN's networks have
            20).
        layers: stacked cells, of which the last one gates (default 1, the paper's; the authors' code takes more but
            never does).
    """

    reference_key = "dia"

    shared = True
    states = 2

    def __init__(self, channels: int, *, reduction: int = 4, layers: int = 1) -> None:
        super().__init__(channels)
        self._layers = positive("layers", layers)
        with self.name_scope():
            self.cell = LSTMCell(channels, reduction=positive("reduction", reduction), layers=layers)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        ends = [layer[-1] if number == 0 else layer for w in (self.cell.w_ih, self.cell.w_hh)
                for number, layer in enumerate(w._children.values())]  # fmt: skip
        return ConstantStart(0.25, tuple(ends))

    def begin_state(self, F: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        """The state of the first block of a stage.

        Args:
            F: `mx.nd` or `mx.sym`.
            x: (N,C,H,W), the input of the module in that block.

        Returns:
            (h, c), both zeros, (N,layers*C).
        """
        corner = F.slice_axis(F.slice_axis(x, axis=2, begin=0, end=1), axis=3, begin=0, end=1)
        return self._begin(F, F.reshape(corner, shape=(0, -1)))

    def _begin(self, F: Any, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Zeros for a pooled map, (N,C)."""
        one = F.zeros_like(pooled)
        zeros = one if self._layers == 1 else F.concat(*[one] * self._layers, dim=1)
        return zeros, zeros

    def hybrid_forward(self, F: Any, x: Tensor, *state: Tensor) -> Any:
        """N,C,H,W -> N,C,H,W; with a state (y, h, c), see the class."""
        pooled = F.reshape(fast.global_avg(F, x), shape=(0, -1))
        h, c = self.cell(pooled, *(state or self._begin(F, pooled)))
        gate = h if self._layers == 1 else F.slice_axis(h, axis=1, begin=-self._channels, end=None)
        y = fast.channel_gate(F, x, F.reshape(gate, shape=(0, 0, 1, 1)))
        return (y, h, c) if state else y


class LSTMCell(HybridBlock):
    """One step of an LSTM with narrow gates: (x, h, c) -> (h', c'), x of N,C, states of N,layers*C.

    i, f, g, o = P(x) + Q(h), P and Q a dense layer to C / reduction, ReLU, a dense layer to 4 C;
    c' = sigmoid(f) c + sigmoid(i) tanh(g); h' = sigmoid(o) sigmoid(c'), where the usual cell has tanh(c').

    Args:
        channels: C.
        reduction: C over the inner width, which is at least 1 (default 4).
        layers: stacked cells (default 1). From the second one on, x is the h' of the cell below, after dropout, and P
            and Q are one dense layer each. The state holds the layers' parts in order.
        dropout: its rate (default 0.1).
    """

    reference_key = "lstm_cell"

    def __init__(self, channels: int, *, reduction: int = 4, layers: int = 1, dropout: float = 0.1) -> None:
        super().__init__()
        self._layers = layers
        hidden = hidden_channels(channels, reduction)
        with self.name_scope():
            self.w_ih, self.w_hh = (_transforms(channels, hidden, layers) for _ in range(2))
            self.dropout = nn.Dropout(dropout)

    def hybrid_forward(self, F: Any, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """One step of all layers."""
        hs = [h] if self._layers == 1 else F.split(h, num_outputs=self._layers, axis=1)
        cs = [c] if self._layers == 1 else F.split(c, num_outputs=self._layers, axis=1)
        new: list[tuple[Tensor, Tensor]] = []
        for number, (h_old, c_old) in enumerate(zip(hs, cs, strict=True)):
            x = self.dropout(new[-1][0]) if number else x
            new.append(_step(F, self.w_ih[number](x) + self.w_hh[number](h_old), c_old))
        if self._layers == 1:
            return new[0]
        hs, cs = zip(*new, strict=True)
        return F.concat(*hs, dim=1), F.concat(*cs, dim=1)


def _step(F: Any, gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """(h', c') from the four gates, N,4C, and the cell state."""
    i, f, g, o = F.split(gates, num_outputs=4, axis=1)
    c = fast.sigmoid(F, f) * c + fast.sigmoid(F, i) * F.tanh(g)
    return fast.sigmoid(F, o) * fast.sigmoid(F, c), c


def _transforms(channels: int, hidden: int, layers: int) -> nn.HybridSequential:
    """For each layer, the transform of its inputs or its state to the gates."""
    all_layers = nn.HybridSequential(prefix="")
    first = nn.HybridSequential(prefix="")
    first.add(
        nn.Dense(hidden, in_units=channels),
        nn.Activation("relu"),
        nn.Dense(4 * channels, in_units=hidden),
    )
    all_layers.add(first, *(nn.Dense(4 * channels, in_units=channels) for _ in range(layers - 1)))
    return all_layers
