"""Each attention against its paper's formula, written here in NumPy in float64."""

import ast
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from formulas import Weights, drawn, mean, sigmoid

from gluon_attn import get_attention, list_attentions
from gluon_attn.attention.base import ATTENTIONS
from gluon_attn.attention.eca import eca_kernel


def se(w, x):
    return x * sigmoid(w.conv("mlp.2", np.maximum(w.conv("mlp.0", mean(x)), 0)))


def eca(w, x):
    weight = w.all["conv.weight"].reshape(-1)
    half, line = len(weight) // 2, mean(x)[:, :, 0, 0]
    padded = np.pad(line, ((0, 0), (half, half)))
    logits = sum(weight[i] * padded[:, i : i + line.shape[1]] for i in range(len(weight)))
    return x * sigmoid(logits)[:, :, None, None]


def cbam(w, x):
    def perceptron(pooled):
        return w.conv("mlp.2", np.maximum(w.conv("mlp.0", pooled), 0))

    z = x * sigmoid(perceptron(mean(x)) + perceptron(x.max((2, 3), keepdims=True)))
    maps = np.concatenate([z.max(1, keepdims=True), z.mean(1, keepdims=True)], 1)
    return z * sigmoid(w.norm("norm", w.conv("conv", maps)))


def cha_atac(w, x, relu=True, global_pool=False):
    names = ["mlp.0", "mlp.1", "mlp.3", "mlp.4"] if relu else [f"mlp.{i}" for i in range(4)]
    hidden = w.norm(names[1], w.conv(names[0], mean(x) if global_pool else x))
    hidden = np.maximum(hidden, 0) if relu else hidden
    return x * sigmoid(w.norm(names[3], w.conv(names[2], hidden)))


def hard(z):
    return np.clip(z + 3, 0, 6) / 6


def ese(w, x, gate=hard):
    return x * gate(w.conv("conv", mean(x)))


def global_context(w, x):
    """What gc and gca add or gate with."""
    logits = w.conv("key", x)
    share = np.exp(logits - logits.max((2, 3), keepdims=True))
    context = (x * share / share.sum((2, 3), keepdims=True)).sum((2, 3), keepdims=True)
    hidden = w.conv("squeeze", context)
    hidden = (hidden - hidden.mean(1, keepdims=True)) / np.sqrt(hidden.var(1, keepdims=True) + 1e-5)
    return w.conv("expand", np.maximum(w.all["norm.gamma"] * hidden + w.all["norm.beta"], 0))


def coord(w, x):
    height = x.shape[2]
    rows, columns = x.mean(3)[..., None], x.mean(2)[..., None]
    both = w.norm("norm", w.conv("squeeze", np.concatenate([rows, columns], 2)))
    both = both * hard(both)
    down = w.conv("rows", both[:, :, :height])
    along = w.conv("columns", both[:, :, height:]).transpose(0, 1, 3, 2)
    return x * sigmoid(down) * sigmoid(along)


def simam(w, x, e_lambda=1e-4):
    d = (x - mean(x)) ** 2
    v = d.sum((2, 3), keepdims=True) / (x.shape[2] * x.shape[3] - 1)
    return x * sigmoid(d / (4 * (v + e_lambda)) + 0.5)


def shuffle(w, x, groups=8):
    half = x.shape[1] // 2
    part = {name: value.reshape(1, -1, 1, 1) for name, value in w.all.items()}
    out = []
    for group in np.split(x, groups, axis=1):
        first, second = np.split(group, 2, axis=1)
        out.append(first * sigmoid(part["w1"] * mean(first) + part["b1"]))
        normal = (second - mean(second)) / np.sqrt(second.var((2, 3), keepdims=True) + 1e-5)
        out.append(second * sigmoid(part["w2"] * (part["gamma"] * normal + part["beta"]) + part["b2"]))
    y = np.empty_like(x)
    whole = np.concatenate(out, 1)
    y[:, 0::2], y[:, 1::2] = whole[:, :half], whole[:, half:]
    return y


def ceca(w, x):
    weight, line = w.all["conv.weight"].reshape(-1), mean(x)
    half = len(weight) // 2
    return x * sigmoid(sum(weight[i] * np.roll(line, half - i, axis=1) for i in range(len(weight))))


def eca_mlp(w, x):
    first, second, line = w.all["squeeze.weight"][:, 0, 0], w.all["conv.weight"][0], mean(x)[:, :, 0, 0]
    hidden = np.maximum(first[:, None] * line[:, None] + w.all["squeeze.bias"][:, None], 0)
    half = second.shape[1] // 2
    padded = np.pad(hidden, ((0, 0), (0, 0), (half, half)))
    logits = sum(np.einsum("h,nhc->nc", second[:, i], padded[:, :, i : i + x.shape[1]]) for i in range(2 * half + 1))
    return x * sigmoid(logits + w.all["conv.bias"])[:, :, None, None]


def light_cbam(w, x):
    pooled = (mean(x) + x.max((2, 3), keepdims=True)) / 2
    z = x * sigmoid(w.conv("mlp.2", np.maximum(w.conv("mlp.0", pooled), 0)))
    over_channels = (z.max(1, keepdims=True) + z.mean(1, keepdims=True)) / 2
    return z * sigmoid(w.norm("norm", w.conv("conv", over_channels)))


def grn(w, x):
    size = np.sqrt((x**2).sum((2, 3), keepdims=True))
    return x + w.all["gamma"] * (x * size / (size.mean(1, keepdims=True) + 1e-6)) + w.all["beta"]


def gct(w, x):
    size = w.all["alpha"] * np.sqrt((x**2).sum((2, 3), keepdims=True) + 1e-5)
    normal = size * np.sqrt(x.shape[1]) / np.sqrt((size**2).sum(1, keepdims=True) + 1e-5)
    return x * (1 + np.tanh(w.all["gamma"] * normal + w.all["beta"]))


def scse(w, x):
    return se(w, x) + x * sigmoid(w.conv("conv", x))


def srm(w, x):
    weight, deviation = w.all["conv.weight"][:, 0], np.sqrt(x.var((2, 3), keepdims=True) + 1e-5)
    logits = mean(x) * weight[:, 0, None, None] + deviation * weight[:, 1, None, None]
    return x * sigmoid(w.norm("norm", logits))


#: (name, channels, options, the formula)
CASES = [
    ("identity", 5, {}, lambda w, x: x),
    ("se", 16, {}, se),
    ("se", 32, {"reduction": 4}, se),
    ("se", 6, {"reduction": 4, "bias": False}, se),
    ("eca", 16, {}, eca),
    ("eca", 40, {"kernel_size": 9}, eca),
    ("eca", 128, {"gamma": 1, "b": 3}, eca),
    ("cbam", 16, {}, cbam),
    ("cbam", 12, {"reduction": 3, "kernel_size": 3, "bias": False}, cbam),
    ("cha_atac", 8, {}, cha_atac),
    ("cha_atac", 12, {"reduction": 4, "relu": False}, lambda w, x: cha_atac(w, x, relu=False)),
    ("cha_atac", 8, {"global_pool": True}, lambda w, x: cha_atac(w, x, global_pool=True)),
    ("cha_atac", 8, {"global_pool": True, "relu": False}, lambda w, x: cha_atac(w, x, False, True)),
    ("ese", 7, {}, ese),
    ("ese", 7, {"hard": False}, lambda w, x: ese(w, x, sigmoid)),
    ("gc", 32, {}, lambda w, x: x * sigmoid(global_context(w, x))),
    ("gc", 15, {"reduction": 3}, lambda w, x: x * sigmoid(global_context(w, x))),
    ("gca", 32, {}, lambda w, x: x + global_context(w, x)),
    ("gca", 15, {"reduction": 3}, lambda w, x: x + global_context(w, x)),
    ("coord", 16, {}, coord),
    ("coord", 27, {"reduction": 2}, coord),
    ("simam", 5, {}, simam),
    ("simam", 5, {"e_lambda": 0.1}, lambda w, x: simam(w, x, 0.1)),
    ("shuffle", 32, {}, shuffle),
    ("shuffle", 12, {"groups": 2}, lambda w, x: shuffle(w, x, 2)),
    ("ceca", 16, {}, ceca),
    ("ceca", 6, {"kernel_size": 9}, ceca),
    ("ceca", 6, {"kernel_size": 1}, ceca),
    ("eca_mlp", 16, {}, eca_mlp),
    ("eca_mlp", 12, {"reduction": 3, "kernel_size": 7}, eca_mlp),
    ("light_cbam", 16, {}, light_cbam),
    ("light_cbam", 12, {"reduction": 3, "kernel_size": 3, "bias": True}, light_cbam),
    ("grn", 7, {}, grn),
    ("scse", 16, {}, scse),
    ("scse", 6, {"reduction": 4, "bias": False}, scse),
    ("gct", 7, {}, gct),
    ("srm", 7, {}, srm),
]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize(("name", "channels", "options", "formula"), CASES)
def test_value_is_the_papers(name, channels, options, formula, train):
    block = drawn(name, channels, **options)
    x = np.random.normal(size=(3, channels, 6, 5)).astype("float32")
    wanted = formula(Weights(block, train), x.astype("float64"))
    with mx.autograd.record(train_mode=train):
        got = block(mx.nd.array(x)).asnumpy()
    # the longest chain is a dozen float32 operations, each good to 6e-8
    assert np.abs(got - wanted).max() <= 2e-6 * np.abs(wanted).max()
    assert name == "identity" or np.abs(wanted - x).max() > 0.1


@pytest.mark.parametrize(
    ("channels", "kernel"),
    [(16, 3), (32, 3), (64, 3), (128, 5), (256, 5), (512, 5), (1024, 5), (2048, 7), (1, 1), (2, 1), (8, 3)],
)
def test_eca_kernel_formula(channels, kernel):
    """|(log2 C + 1) / 2| cut to a whole number, plus 1 when even; 16 to 32 channels: 2.5 and 3."""
    assert eca_kernel(channels) == kernel
    assert get_attention("eca", channels).conv.weight.shape == (1, 1, kernel)


@pytest.mark.parametrize(("gamma", "b", "kernel"), [(1, 1, 7), (1, 3, 9), (2, 0, 3), (4, 1, 1), (2, -9, 1)])
def test_eca_kernel_with_other_constants(gamma, b, kernel):
    assert eca_kernel(64, gamma, b) == kernel


#: attentions whose formula is a test of its own, in these files
ALONE = {"anas": "test_cells_and_pools.py", "dia": "test_dia.py", "eca_ns": "test_cells_and_pools.py"}


def test_every_attention_has_a_formula():
    """One of a plugin is not looked for."""
    found = set(ALONE)
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CASES":
                found |= {case.elts[0].value for case in node.value.elts}
    own = {name for name in list_attentions() if ATTENTIONS.get(name).__module__.startswith("gluon_attn.")}
    assert own <= found, "write its formula down here and add it to CASES, see CONTRIBUTING.md"


def test_hidden_widths_follow_the_reduction():
    assert get_attention("se", 64).mlp[0].weight.shape == (4, 64, 1, 1)
    assert get_attention("se", 8).mlp[0].weight.shape == (1, 8, 1, 1)
    assert get_attention("cbam", 64, reduction=2).mlp[0].weight.shape == (32, 64, 1, 1)
    assert get_attention("cha_atac", 64).mlp[0].weight.shape == (32, 64, 1, 1)
