"""DIANet's cell against its formula in NumPy, in float64."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.nn.lstm import LSTMCell


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def weights(cell):
    return {n: p.data().asnumpy().astype("float64") for n, p in cell._collect_params_with_prefix().items()}


def dense(w, name, x):
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def step(w, layer, x, h, c):
    """(h', c') of one layer."""
    gates = 0
    for name, given in (("w_ih", x), ("w_hh", h)):
        if layer:
            gates = gates + dense(w, f"{name}.{layer}", given)
        else:
            gates = gates + dense(w, f"{name}.0.2", np.maximum(dense(w, f"{name}.0.0", given), 0))
    enter, forget, new, leave = np.split(gates, 4, axis=1)
    c = sigmoid(forget) * c + sigmoid(enter) * np.tanh(new)
    return sigmoid(leave) * sigmoid(c), c


@pytest.mark.parametrize("hybrid", [False, True], ids=["imperative", "hybrid"])
@pytest.mark.parametrize("layers", [1, 3])
def test_value_is_the_formula(layers, hybrid):
    cell = LSTMCell(12, reduction=3, layers=layers)
    cell.initialize(mx.init.Normal(0.5))
    cell.hybridize(hybrid)
    w = weights(cell)
    x, h, c = np.random.normal(size=(5, 12)), *np.random.normal(size=(2, 5, 12 * layers))
    got = cell(*(mx.nd.array(a) for a in (x, h, c)))
    hs, cs = [], []
    for layer in range(layers):
        part = slice(12 * layer, 12 * layer + 12)
        x, new = step(w, layer, x, h[:, part], c[:, part])
        hs.append(x)
        cs.append(new)
    for value, wanted in zip(got, (hs, cs), strict=True):
        np.testing.assert_allclose(value.asnumpy(), np.concatenate(wanted, axis=1), rtol=0, atol=2e-6)


def test_widths():
    def hidden(channels, reduction):
        return LSTMCell(channels, reduction=reduction).w_ih[0][0].weight.shape[0]

    assert (hidden(64, 4), hidden(256, 20), hidden(16, 20)) == (16, 12, 1)


def test_dropout_stands_between_layers():
    x, state = mx.nd.ones((4, 8)), [mx.nd.zeros((4, 16))] * 2
    cell = LSTMCell(8, layers=2, dropout=0.5)
    cell.initialize(mx.init.Normal(1))
    with mx.autograd.record():
        (one, _), (other, _) = cell(x, *state), cell(x, *state)
    assert (one[:, :8] == other[:, :8]).asnumpy().all()
    assert (one[:, 8:] != other[:, 8:]).asnumpy().any()
