"""The recurrent cell of DIANet."""

from mxnet.gluon import HybridBlock, nn

from . import fast
from .mlp import hidden_channels


class LSTMCell(HybridBlock):
    """One step of an LSTM with narrow gates: (x, h, c) -> (h', c'), x of N,C and a state of N,layers*C each.

    i, f, g, o = P(x) + Q(h), P and Q a dense layer to C / reduction, ReLU, a dense layer to 4 C;
    c' = sigmoid(f) c + sigmoid(i) tanh(g); h' = sigmoid(o) sigmoid(c'), where the usual cell has tanh(c').

    channels: C. reduction: C over the inner width (default 4; the width is at least 1). layers: cells one on the
    other (default 1); the second and later take the h' of the one below, P and Q one dense layer each, and dropout
    of rate `dropout` (default 0.1) stands between two. The state holds the layers' parts one after the other, the
    last layer's last.
    """

    reference_key = "lstm_cell"

    def __init__(self, channels, *, reduction=4, layers=1, dropout=0.1):
        super().__init__()
        self._layers = layers
        hidden = hidden_channels(channels, reduction)
        with self.name_scope():
            self.w_ih, self.w_hh = (_transforms(channels, hidden, layers) for _ in range(2))
            self.dropout = nn.Dropout(dropout)

    def hybrid_forward(self, F, x, h, c):
        below = [h] if self._layers == 1 else F.split(h, num_outputs=self._layers, axis=1)
        cells = [c] if self._layers == 1 else F.split(c, num_outputs=self._layers, axis=1)
        news = []
        for number, (past, cell) in enumerate(zip(below, cells, strict=True)):
            x = self.dropout(news[-1][0]) if number else x
            news.append(_step(F, self.w_ih[number](x) + self.w_hh[number](past), cell))
        return news[0] if self._layers == 1 else tuple(F.concat(*parts, dim=1) for parts in zip(*news, strict=True))


def _step(F, gates, c):
    """(h', c') from the four gates, N,4C, and the cell before."""
    enter, forget, new, leave = F.split(gates, num_outputs=4, axis=1)
    c = fast.sigmoid(F, forget) * c + fast.sigmoid(F, enter) * F.tanh(new)
    return fast.sigmoid(F, leave) * fast.sigmoid(F, c), c


def _transforms(channels, hidden, layers):
    """A layer's inputs or past to its gates, for each layer."""
    all_layers = nn.HybridSequential(prefix="")
    first = nn.HybridSequential(prefix="")
    first.add(
        nn.Dense(hidden, in_units=channels),
        nn.Activation("relu"),
        nn.Dense(4 * channels, in_units=hidden),
    )
    all_layers.add(first, *(nn.Dense(4 * channels, in_units=channels) for _ in range(layers - 1)))
    return all_layers
