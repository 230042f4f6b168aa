"""Dense-and-Implicit Attention: its formula, its state from block to block, and its LSTM cell."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import Plan, get_attention, get_model
from gluon_attn.attention.dia import LSTMCell
from gluon_attn.models.slots import Residual, Stage
from gluon_attn.utils.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore:Cannot decide type")


class Block(Residual):
    """A residual block whose branch is a convolution."""

    def __init__(self, post):
        super().__init__()
        self.conv = mx.gluon.nn.Conv2D(8, 3, padding=1, in_channels=8)
        self.post = post

    def hybrid_forward(self, F, x, *state):
        y, state = self.attend(F, self.conv(x), state)
        return (x + y, *state) if state else x + y


def drawn(block):
    block.initialize(mx.init.Normal(0.3))
    return block


def gate(h):
    return h.reshape((0, 0, 1, 1))


@pytest.mark.parametrize("layers", [1, 2])
def test_value_is_the_papers(layers):
    dia, x = drawn(get_attention("dia", 8, layers=layers)), mx.nd.random.normal(shape=(3, 8, 5, 4))
    zeros = mx.nd.zeros((3, 8 * layers))
    h, c = dia.cell(x.mean(axis=(2, 3)), zeros, zeros)
    y, *state = dia(x, zeros, zeros)
    wanted = (x * gate(h[:, -8:])).asnumpy()
    np.testing.assert_allclose(dia(x).asnumpy(), wanted, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(y.asnumpy(), wanted, rtol=1e-6, atol=1e-7)
    for got, value in zip(state, (h, c), strict=True):
        np.testing.assert_allclose(got.asnumpy(), value.asnumpy(), rtol=1e-6, atol=1e-7)


def test_it_begins_with_zeros_whatever_comes_in():
    dia, x = drawn(get_attention("dia", 8)), mx.nd.random.normal(shape=(3, 8, 5, 4))
    state = dia.begin_state(mx.nd, x * np.nan)
    assert [(part.shape, part.abs().sum().asscalar()) for part in state] == [((3, 8), 0)] * 2


@pytest.mark.parametrize("taken", ["111", "101", "011", "010", "000"])
@pytest.mark.parametrize("hybrid", [False, True], ids=["imperative", "hybrid"])
def test_a_stage_passes_the_state_along(taken, hybrid):
    """Blocks that are left out pass it over; the first one that is not begins with zeros."""
    dia, stage = get_attention("dia", 8), Stage(prefix="")
    for bit in taken:
        stage.add(Block(dia if bit == "1" else None))
    drawn(stage)
    x = mx.nd.random.normal(shape=(2, 8, 6, 5))
    y, h, c = x, mx.nd.zeros((2, 8)), mx.nd.zeros((2, 8))
    for block, bit in zip(stage, taken, strict=True):
        branch = block.conv(y)
        if bit == "1":
            h, c = dia.cell(branch.mean(axis=(2, 3)), h, c)
            branch = branch * gate(h)
        y = y + branch
    stage.hybridize(hybrid)
    np.testing.assert_allclose(stage(x).asnumpy(), y.asnumpy(), rtol=1e-5, atol=1e-6)


def test_the_state_matters():
    """Two modules that begin anew give something else than one that remembers."""
    dia, stage = get_attention("dia", 8), Stage(prefix="")
    stage.add(Block(dia), Block(dia))
    drawn(stage)
    x = mx.nd.random.normal(shape=(2, 8, 6, 5))
    anew = x
    for block in stage:
        anew = anew + dia(block.conv(anew))
    assert np.abs((stage(x) - anew).asnumpy()).max() > 1e-2


@pytest.mark.parametrize("scheme", [None, "101101101", "011000110"])
@pytest.mark.parametrize("name", ["cifar_resnet20_v1", "cifar_resnet20_v2"])
def test_one_module_a_stage_and_the_network_exports(name, scheme, tmp_path):
    net = drawn(get_model(name, 10, plan=Plan([{"name": "DIA", "shared": True, "scheme": scheme}])))
    posts = [block.post for stage in list(net.features)[2:5] for block in stage]
    assert "".join(str(int(post is not None)) for post in posts) == (scheme or "1" * 9)
    assert [len({id(post) for post in posts[i : i + 3] if post}) for i in (0, 3, 6)] == (
        [1, 0, 1] if scheme == "011000110" else [1, 1, 1]
    )
    x = mx.nd.random.normal(shape=(2, 3, 16, 16))
    wanted = net(x).asnumpy()
    net.hybridize()
    np.testing.assert_allclose(net(x).asnumpy(), wanted, rtol=1e-4, atol=1e-5)
    net.export(str(tmp_path / "net"))
    loaded = mx.gluon.SymbolBlock.imports(
        str(tmp_path / "net-symbol.json"), ["data"], str(tmp_path / "net-0000.params")
    )
    np.testing.assert_allclose(loaded(x).asnumpy(), wanted, rtol=1e-4, atol=1e-5)


def test_a_name_is_enough_for_one_module_a_stage():
    plan = get_model("cifar_resnet20_v1", 10, attention="DIANet").recipe["plan"]
    assert plan["entries"][0]["shared"] is True


@pytest.mark.parametrize("option", ["reduction", "layers"])
def test_wrong_options(option):
    with pytest.raises(UserError, match=f"{option} must be a whole number above 0, got 0"):
        get_attention("dia", 8, **{option: 0})


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
def test_the_cell_is_the_formula(layers, hybrid):
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


def test_widths_of_the_cell():
    def hidden(channels, reduction):
        return LSTMCell(channels, reduction=reduction).w_ih[0][0].weight.shape[0]

    assert (hidden(64, 4), hidden(256, 20), hidden(16, 20)) == (16, 12, 1)


def test_dropout_is_between_layers_of_the_cell():
    x, state = mx.nd.ones((4, 8)), [mx.nd.zeros((4, 16))] * 2
    cell = LSTMCell(8, layers=2, dropout=0.5)
    cell.initialize(mx.init.Normal(1))
    with mx.autograd.record():
        (one, _), (other, _) = cell(x, *state), cell(x, *state)
    assert (one[:, :8] == other[:, :8]).asnumpy().all()
    assert (one[:, 8:] != other[:, 8:]).asnumpy().any()
