"""Dense-and-Implicit Attention."""

from ..nn import fast
from ..nn.lstm import LSTMCell
from ..utils.checks import positive
from .base import ATTENTIONS, Attention


@ATTENTIONS.register("dia", "DIA", "DIANet")
class DIA(Attention):
    """Dense-and-Implicit Attention, Huang et al. 2019, https://arxiv.org/abs/1905.10671

    h, c = cell(avg(x), h, c); y = x * h, the average over H and W, the cell an LSTM's with narrow gates and
    sigmoid(c) in place of tanh(c) (`nn/lstm.py`); N,C,H,W -> N,C,H,W. `dia(x, h, c)` gives (y, h, c), `dia(x)` begins
    with zeros and gives y alone.
    Place: end of the residual branch, before the addition; one module serves all blocks of a stage, and its state h, c
    of N,layers*C goes from one to the next. Blocks that a scheme leaves out pass the state on.

    channels: C. reduction: C over the width inside the gates (default 4, the paper's; EAN's networks have 20; the width
    is at least 1). layers: cells one on the other, of which the last gates (default 1, the paper's; the authors' code
    takes more but never does).
    """

    reference_key = "dia"

    shared = True
    states = 2

    def __init__(self, channels, *, reduction=4, layers=1):
        super().__init__(channels)
        self._layers = positive("layers", layers)
        with self.name_scope():
            self.cell = LSTMCell(channels, reduction=positive("reduction", reduction), layers=layers)

    def begin_state(self, F, x):
        """(h, c) of zeros for a first block with the input `x`."""
        corner = F.slice_axis(F.slice_axis(x, axis=2, begin=0, end=1), axis=3, begin=0, end=1)
        one = F.zeros_like(F.reshape(corner, shape=(0, -1)))
        zeros = one if self._layers == 1 else F.concat(*[one] * self._layers, dim=1)
        return zeros, zeros

    def hybrid_forward(self, F, x, *state):
        pooled = F.reshape(fast.global_avg(F, x), shape=(0, -1))
        h, c = self.cell(pooled, *(state or self.begin_state(F, x)))
        gate = h if self._layers == 1 else F.slice_axis(h, axis=1, begin=-self._channels, end=None)
        y = fast.channel_gate(F, x, F.reshape(gate, shape=(0, 0, 1, 1)))
        return (y, h, c) if state else y
