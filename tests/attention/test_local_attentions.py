"""Attention that stands for a 3x3 convolution, against the papers' formulas in NumPy, in float64."""

from math import gcd

import mxnet as mx
import numpy as np
import pytest
from formulas import Weights, answer, assert_gradient_is_the_finite_difference, drawn, mean, relu, sigmoid, softmax

from gluon_attn import Plan, get_attention, get_model
from gluon_attn.utils.errors import UserError


def average_3x3(x):
    """Every other pixel's 3x3 mean, zeros around the map counted in."""
    x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    high, wide = x.shape[2] - 2, x.shape[3] - 2
    return sum(x[:, :, i : i + high : 2, j : j + wide : 2] for i in range(3) for j in range(3)) / 9


def sk(w, x, branches=2, groups=32, stride=1, shared=True):
    parts = [x] * branches if shared else np.split(x, branches, 1)
    groups = gcd(groups, parts[0].shape[1])
    maps = [
        relu(w.norm(f"branches.{m}.1", w.conv(f"branches.{m}.0", part, stride, dilation=m + 1, groups=groups)))
        for m, part in enumerate(parts)
    ]
    hidden = relu(w.norm("norm", w.conv("squeeze", mean(sum(maps)))))
    gates = softmax(np.stack(np.split(w.conv("expand", hidden), branches, 1)), 0)
    return sum(gates * np.stack(maps))


def split(w, x, radix=2, groups=1, strided=False):
    """As the paper's text has it: cardinal groups one by one, each with `radix` splits of its own."""
    u = relu(w.norm("bn", w.conv("conv", x, groups=radix * groups)))
    splits = np.stack(np.split(u, radix, 1))  # radix, N, C, H, W; each split holds all cardinal groups
    hidden = relu(w.norm("bn1", w.conv("fc1", mean(splits.sum(0)), groups=groups)))
    logits = w.conv("fc2", hidden, groups=groups)
    gates = []
    for cardinal in np.split(logits, groups, 1):
        own = np.stack(np.split(cardinal, radix, 1))
        gates.append(softmax(own, 0) if radix > 1 else sigmoid(own))
    y = (np.concatenate(gates, 2) * splits).sum(0)
    return average_3x3(y) if strided else y


def psa(w, x, stride=1):
    part = x.shape[1] // 4
    maps, gates = [], []
    for i, groups in enumerate((1, 4, 8, 16)):
        maps.append(w.conv(f"pyramid.{i}", x, stride, groups=gcd(part, groups)))
        gates.append(sigmoid(w.conv("mlp.2", relu(w.conv("mlp.0", mean(maps[-1]))))))
    return np.concatenate(list(softmax(np.stack(gates), 0) * np.stack(maps)), 1)


def attention(q, v, scored):
    """Pixel by pixel: `scored(n, i, j, a, b)` is the logit of pixel (a,b) for query (i,j), None if it has no share."""
    count, _, high, wide = v.shape
    y = np.zeros_like(q)
    for n in range(count):
        for i, j in np.ndindex(*q.shape[2:]):
            pairs = [(a, b, scored(n, i, j, a, b)) for a, b in np.ndindex(high, wide)]
            near = [(a, b, logit) for a, b, logit in pairs if logit is not None]
            share = softmax(np.array([logit for *_, logit in near]), 0)
            y[n, :, i, j] = sum(s * v[n, :, a, b] for s, (a, b, _) in zip(share, near, strict=True))
    return y


def fa(w, x, kernel=7, heads=8):
    q, k, v = (np.split(w.conv(name, x), heads, 1) for name in ("query", "key", "value"))
    rows, columns, reach = w.all["rows"], w.all["columns"], kernel // 2

    def head(h):
        def scored(n, i, j, a, b):
            down, along = a - i + reach, b - j + reach
            if not (0 <= down < kernel and 0 <= along < kernel):
                return None
            return q[h][n, :, i, j] @ (k[h][n, :, a, b] + np.concatenate([rows[h, down], columns[h, along]]))

        return attention(q[h], v[h], scored)

    return np.concatenate([head(h) for h in range(heads)], 1)


def halo(w, x, block=8, reach=3, heads=8, stride=1):
    q, k, v = (np.split(w.conv(name, x), heads, 1) for name in ("query", "key", "value"))
    q = [part[:, :, ::stride, ::stride] for part in q]
    rows, columns, first = w.all["rows"], w.all["columns"], block + reach - stride

    def head(h):
        def scored(n, i, j, a, b):
            query, i, j = q[h][n, :, i, j], i * stride, j * stride
            top, left = i // block * block, j // block * block
            if not (top - reach <= a < top + block + reach and left - reach <= b < left + block + reach):
                return None
            key = k[h][n, :, a, b] + rows[a - i + first] + columns[b - j + first]
            return query @ key / np.sqrt(len(query))

        return attention(q[h], v[h], scored)

    return np.concatenate([head(h) for h in range(heads)], 1)


def cot(w, x, kernel=3, strided=False):
    x = average_3x3(x) if strided else x
    count, channels, high, wide = x.shape
    share, reach = gcd(8, channels), kernel // 2
    heads = channels // share
    static = relu(w.norm("context.1", w.conv("context.0", x, groups=gcd(4, channels))))
    w.all["both.weight"] = np.concatenate([w.all["pixel.weight"], w.all["around.weight"]], 1)
    hidden = relu(w.norm("weigh.0", w.conv("both", np.concatenate([x, static], 1))))
    weights = w.conv("weigh.2", hidden).reshape(count, heads, -1)
    weights = (weights - weights.mean(2, keepdims=True)) / np.sqrt(weights.var(2, keepdims=True) + 1e-5)
    weights = weights.reshape(count, -1, high, wide) * w.all["weigh.3.gamma"] + w.all["weigh.3.beta"]
    weights = weights.reshape(count, heads, kernel, kernel, high, wide)
    values = w.norm("value.1", w.conv("value.0", x))
    dynamic = np.zeros_like(values)
    for c in range(channels):
        for i, j, a, b in np.ndindex(high, wide, kernel, kernel):
            row, column = i + a - reach, j + b - reach
            if 0 <= row < high and 0 <= column < wide:
                dynamic[:, c, i, j] += weights[:, c % heads, a, b, i, j] * values[:, c, row, column]
    dynamic = w.norm("norm", dynamic)
    dynamic = dynamic * sigmoid(dynamic)
    logits = w.conv("fuse.3", relu(w.norm("fuse.1", w.conv("fuse.0", mean(static + dynamic)))))
    gates = softmax(np.stack(np.split(logits, 2, 1)), 0)
    return gates[0] * static + gates[1] * dynamic


#: (name, channels, options, the formula)
CASES = [
    ("sk", 64, {}, sk),
    ("sk", 6, {"branches": 3, "groups": 4, "reduction": 1}, lambda w, x: sk(w, x, 3, 4)),
    ("sk", 16, {"stride": 2}, lambda w, x: sk(w, x, stride=2)),
    ("sk", 12, {"split": True, "groups": 1, "narrowest": 5}, lambda w, x: sk(w, x, groups=1, shared=False)),
    ("split", 16, {}, split),
    ("split", 24, {"radix": 4, "groups": 2, "reduction": 2}, lambda w, x: split(w, x, 4, 2)),
    ("split", 6, {"radix": 1, "groups": 2}, lambda w, x: split(w, x, 1, 2)),
    ("split", 16, {"stride": 2}, lambda w, x: split(w, x, strided=True)),
    ("psa", 64, {}, psa),
    ("psa", 12, {"reduction": 2}, psa),
    ("psa", 16, {"stride": 2}, lambda w, x: psa(w, x, stride=2)),
    ("cot", 16, {}, cot),
    ("cot", 6, {"kernel_size": 5, "reduction": 3}, lambda w, x: cot(w, x, 5)),
    ("cot", 8, {"kernel_size": 1, "stride": 2}, lambda w, x: cot(w, x, 1, True)),
    ("fa", 16, {}, fa),
    ("fa", 9, {"kernel_size": 3, "heads": 6}, lambda w, x: fa(w, x, 3, 3)),
    ("fa", 10, {"kernel_size": 1, "heads": 10}, lambda w, x: fa(w, x, 1, 5)),
    ("fa", 6, {"kernel_size": 13, "heads": 1}, lambda w, x: fa(w, x, 13, 1)),
    ("halo", 16, {}, halo),
    ("halo", 6, {"block": 4, "halo": 1, "heads": 4}, lambda w, x: halo(w, x, 4, 1, 2)),
    ("halo", 6, {"block": 2, "halo": 5, "heads": 3, "stride": 2}, lambda w, x: halo(w, x, 2, 5, 3, 2)),
    ("halo", 8, {"block": 4, "stride": 2}, lambda w, x: halo(w, x, 4, 3, 8, 2)),
    ("halo", 8, {"block": 1, "halo": 2}, lambda w, x: halo(w, x, 1, 2)),
]


@pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
@pytest.mark.parametrize(("name", "channels", "options", "formula"), CASES)
def test_value_is_the_papers(name, channels, options, formula, plain):
    block = drawn(name, channels, **options)
    x = np.random.normal(size=(2, channels, 9, 7)).astype("float32")
    wanted = formula(Weights(block), x.astype("float64"))
    got = answer(block, x, plain)
    # chains of up to two dozen float32 operations, each good to 6e-8
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() <= 4e-6 * np.abs(wanted).max()
    assert wanted.shape != x.shape or np.abs(wanted - x).max() > 0.1


@pytest.mark.parametrize(("name", "options"), [(name, options) for name, _, options, _ in CASES])
def test_gradient_is_the_finite_difference_for_every_option(name, options):
    """Hybridized, in float64, along a random direction."""
    block = drawn(name, 24, **options)
    block.hybridize()
    assert_gradient_is_the_finite_difference(block, mx.nd.random.normal(shape=(3, 24, 9, 6)))


#: width inside the blocks of ResNet-50's stages, and how many blocks there are
STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
RESNET50 = 25_557_032


def learned(block):
    return sum(int(np.prod(p.shape)) for p in block.collect_params().values() if p.grad_req != "null")


def resnet50_with(name, norm=True):
    """Learned weights of a ResNet-50 whose 3x3 convolutions are replaced; `norm`: their norms stay."""
    total = RESNET50
    for width, blocks in STAGES:
        total += blocks * (learned(get_attention(name, width)) - 9 * width**2 - (0 if norm else 2 * width))
    return total


def test_split_costs_what_was_published():
    """ResNeSt-50: 27,483,240; its stem is three 3x3 convolutions of 32, 32, 64 maps instead of a 7x7 of 64."""
    stem = 9 * 32 * (3 + 32 + 64) + 2 * (32 + 32) - 49 * 3 * 64
    assert resnet50_with("split", norm=False) + stem == 27_483_240


def test_psa_costs_what_was_published():
    """EPSANet-50: 22.56 million."""
    assert round(resnet50_with("psa") / 1e6, 2) == 22.56


def test_fa_costs_what_was_published():
    """FA-ResNet-50: 18.0 million."""
    assert resnet50_with("fa") == 18_038_632
    assert round(18_038_632 / 1e6, 1) == 18.0


def test_cot_costs_what_was_published():
    """CoTNet-50: 22.2 million."""
    assert round(resnet50_with("cot", norm=False) / 1e6, 1) == 22.2


def test_sk_costs_what_was_published():
    """SKNet-50: 27,479,784; blocks are half as wide as their output inside."""
    total, before = 49 * 3 * 64 + 2 * 64 + 2049 * 1000, 64
    for quarter, blocks in STAGES:
        width, out = 2 * quarter, 4 * quarter
        total += before * out + 2 * out  # the shortcut
        for _ in range(blocks):
            total += before * width + 2 * width + learned(get_attention("sk", width)) + width * out + 2 * out
            before = out
    assert total == 27_479_784


@pytest.mark.parametrize("model", ["cifar_resnet20_v1", "cifar_resnet164_v1", "cifar_resnet20_v2"])
@pytest.mark.parametrize("name", sorted({case[0] for case in CASES}))
def test_stands_for_the_convolution_of_a_network(name, model):
    # of the 18 blocks of a stage of ResNet-164 the first two: one with a stride, one without
    scheme = ("11" + "0" * 16) * 3 if "164" in model else None
    net = get_model(model, 10, plan=Plan([{"name": name, "scheme": scheme}]))
    net.initialize()
    net.hybridize()
    x = mx.nd.random.normal(shape=(2, 3, 32, 32))
    with mx.autograd.record():
        y = net(x)
    y.backward()
    assert y.shape == (2, 10)
    assert np.isfinite(y.asnumpy()).all()
    for key, param in net.collect_params().items():
        assert param.grad_req == "null" or np.isfinite(param.grad().asnumpy()).all(), key


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("sk", {"split": True, "branches": 3}, "split needs channels that 3 branches share evenly, got 16"),
        ("sk", {"narrowest": 0}, "narrowest must be a whole number above 0, got 0"),
        ("sk", {"branches": 0}, "branches must be a whole number above 0, got 0"),
        ("sk", {"stride": 1.5}, "stride must be a whole number above 0, got 1.5"),
        (
            "split",
            {"radix": 3},
            "split needs groups of one size: radix=3 times groups=1 does not divide 16 channels, or groups a hidden "
            "width of 32",
        ),
        ("fa", {"kernel_size": 4}, "kernel_size must be odd, got 4"),
        ("halo", {"stride": 3}, "halo needs a stride that divides its block, got stride=3 and block=8"),
        ("cot", {"kernel_size": 2}, "kernel_size must be odd, got 2"),
        ("halo", {"halo": 0}, "halo must be a whole number above 0, got 0"),
        ("psa", {"reduction": None}, "reduction must be a whole number above 0, got None"),
    ],
)
def test_wrong_options(name, options, words):
    with pytest.raises(UserError) as caught:
        get_attention(name, 16, **options)
    assert str(caught.value) == words


def test_fa_needs_a_channel_for_rows_and_one_for_columns():
    with pytest.raises(UserError, match="fa needs 2 channels or more"):
        get_attention("fa", 1)
    assert get_attention("fa", 8).rows.shape == (4, 7, 1)
    assert get_attention("fa", 3).columns.shape == (1, 7, 2)


def test_psa_needs_four_equal_parts():
    with pytest.raises(UserError, match="psa needs a multiple of 4 channels, got 18"):
        get_attention("psa", 18)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("SK", "sk"), ("SplAt", "split"), ("split_attention", "split"), ("resnest", "split"), ("EPSA", "psa"),
        ("CoT", "cot"),
        ("FA", "fa"), ("sasa", "fa"), ("SASA", "fa"), ("HaloAttention", "halo"),
    ],
)  # fmt: skip
def test_other_spellings(alias, name):
    assert type(get_attention(alias, 16)) is type(get_attention(name, 16))
