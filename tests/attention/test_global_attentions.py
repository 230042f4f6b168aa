"""Attentions over all pixels against their papers' formulas in NumPy, in float64."""

import mxnet as mx
import numpy as np
import pytest
from formulas import Weights, answer, drawn, softmax

from gluon_attn import Plan, get_attention, get_model
from gluon_attn.nn import fast
from gluon_attn.utils.errors import UserError


def flat(maps):
    return maps.reshape(*maps.shape[:2], -1)


def nonlocal_(w, x, mode="embedded"):
    query, key = (x, x) if mode == "gaussian" else (w.conv("query", x), w.conv("key", x))
    pairs = np.einsum("ncp,ncq->npq", flat(query), flat(key))
    weights = pairs / pairs.shape[2] if mode == "dot" else softmax(pairs, 2)
    value = w.conv("value", x)
    mixed = np.einsum("npq,ncq->ncp", weights, flat(value)).reshape(value.shape)
    return x + w.norm("norm", w.conv("expand", mixed))


def external(w, x):
    share = softmax(flat(w.conv("key", x)), 2)
    share = share / share.sum(1, keepdims=True)
    return x + w.conv("value", share.reshape(len(x), -1, *x.shape[2:]))


def pam(w, x, prefix=""):
    query, key, value = (flat(w.conv(prefix + name, x)) for name in ("query", "key", "value"))
    weights = softmax(np.einsum("ncp,ncq->npq", query, key), 2)
    return w.all[prefix + "gamma"] * np.einsum("npq,ncq->ncp", weights, value).reshape(x.shape) + x


def cam(w, x, prefix=""):
    energy = np.einsum("ncp,ndp->ncd", flat(x), flat(x))
    weights = softmax(energy.max(2, keepdims=True) - energy, 2)
    return w.all[prefix + "gamma"] * np.einsum("ncd,ndp->ncp", weights, flat(x)).reshape(x.shape) + x


def relative(w, x, heads, prefix="attention."):
    """Multi-head self-attention, pixel by pixel."""
    (n, _, height, width), parts = x.shape, {}
    for name in ("query", "key", "value"):
        parts[name] = w.conv(prefix + name, x).reshape(n, heads, -1, height, width)
    query = parts["query"] / np.sqrt(parts["query"].shape[2])
    rows, columns = w.all[prefix + "rows"], w.all[prefix + "columns"]
    out = np.zeros_like(parts["value"])
    for i in range(height):
        for j in range(width):
            one = query[:, :, :, i, j]
            logits = np.einsum("nhd,nhdkl->nhkl", one, parts["key"])
            for k in range(height):
                logits[:, :, k, :] += (one @ rows[k - i + height - 1])[:, :, None]
            for k in range(width):
                logits[:, :, :, k] += (one @ columns[k - j + width - 1])[:, :, None]
            weights = softmax(logits.reshape(n, heads, -1), 2).reshape(logits.shape)
            out[:, :, :, i, j] = np.einsum("nhkl,nhdkl->nhd", weights, parts["value"])
    return out.reshape(n, -1, height, width)


def aa(w, x, heads=8):
    attended = w.conv("mix", relative(w, x, heads))
    return np.concatenate([w.conv("conv", x), attended], 1) if "conv.weight" in w.all else attended


def lambda_(w, x, heads=4):
    n, _, height, width = x.shape
    query, value = (w.norm(f"{name}.1", w.conv(f"{name}.0", x)) for name in ("query", "value"))
    content = np.einsum("nkp,nvp->nkv", softmax(flat(w.conv("key", x)), 2), flat(value))
    kernel, reach = w.all["position.weight"][:, 0], w.all["position.weight"].shape[2] // 2
    query, out = query.reshape(n, heads, -1, height, width), np.zeros((n, heads, value.shape[1], height, width))
    for i in range(height):
        for j in range(width):
            own = content.copy()
            for k in range(max(0, i - reach), min(height, i + reach + 1)):
                for m in range(max(0, j - reach), min(width, j + reach + 1)):
                    own += np.einsum("k,nv->nkv", kernel[:, k - i + reach, m - j + reach], value[:, :, k, m])
            out[:, :, :, i, j] = np.einsum("nkv,nhk->nhv", own, query[:, :, :, i, j])
    return out.reshape(x.shape)


SIZE = (6, 5)
#: (name, channels, options, the formula)
SPREAD = 0.3  # of the weights: logits that a softmax can still tell apart
CASES = [
    ("nonlocal", 16, {}, nonlocal_),
    ("nonlocal", 5, {"reduction": 3}, nonlocal_),
    ("nonlocal", 16, {"mode": "gaussian"}, lambda w, x: nonlocal_(w, x, "gaussian")),
    ("nonlocal", 16, {"mode": "dot"}, lambda w, x: nonlocal_(w, x, "dot")),
    ("external", 16, {}, external),
    ("external", 5, {"memory": 6}, external),
    ("pam", 16, {}, pam),
    ("pam", 12, {"reduction": 3}, pam),
    ("cam", 16, {}, cam),
    ("danet", 16, {}, lambda w, x: pam(w, x, "pam.") + cam(w, x, "cam.")),
    ("danet", 12, {"reduction": 3}, lambda w, x: pam(w, x, "pam.") + cam(w, x, "cam.")),
    ("aa", 16, {"spatial": SIZE}, aa),
    ("aa", 24, {"spatial": SIZE, "heads": 2, "value_share": 0.5}, lambda w, x: aa(w, x, 2)),
    ("aa", 8, {"spatial": SIZE, "heads": 1, "key_share": 1, "value_share": 1}, lambda w, x: aa(w, x, 1)),
    ("bot", 16, {"spatial": SIZE}, lambda w, x: relative(w, x, 4)),
    ("bot", 6, {"spatial": SIZE}, lambda w, x: relative(w, x, 2)),
    ("bot", 6, {"spatial": SIZE, "heads": 3}, lambda w, x: relative(w, x, 3)),
    ("lambda", 16, {}, lambda_),
    ("lambda", 6, {"kernel_size": 3, "keys": 5}, lambda w, x: lambda_(w, x, 2)),
    ("lambda", 6, {"kernel_size": 5, "heads": 3}, lambda w, x: lambda_(w, x, 3)),
]


@pytest.mark.parametrize("hybrid", [False, True], ids=["imperative", "hybrid"])
@pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
@pytest.mark.parametrize(("name", "channels", "options", "formula"), CASES)
def test_value_is_the_papers(name, channels, options, formula, plain, hybrid):
    block = drawn(name, channels, SPREAD, **options)
    block.hybridize(hybrid)
    x = np.random.normal(size=(3, channels, *SIZE)).astype("float32")
    wanted = formula(Weights(block), x.astype("float64"))
    got = answer(block, x, plain)
    # products of up to 30 pixels go into a softmax, which carries their rounding on
    assert np.abs(got - wanted).max() <= 5e-6 * np.abs(wanted).max()
    assert np.abs(wanted - x).max() > 0.1


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (4, 1), (2, 2), (3, 7)], ids=str)
@pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
def test_relative_logits_on_maps_of_any_size(size, plain):
    block = drawn("bot", 8, SPREAD, spatial=size)
    x = np.random.normal(size=(2, 8, *size)).astype("float32")
    wanted = relative(Weights(block), x.astype("float64"), 4)
    got = answer(block, x, plain)
    assert np.abs(got - wanted).max() <= 5e-6 * np.abs(wanted).max()


@pytest.mark.parametrize(("name", "times"), [("nonlocal", 1), ("pam", 1), ("cam", 1), ("danet", 2)])
def test_starts_as_the_identity(name, times):
    block, x = get_attention(name, 16), mx.nd.random.normal(shape=(2, 16, 4, 3))
    block.initialize()
    assert (block(x) == times * x).asnumpy().all()


def test_external_memories_start_small():
    block = get_attention("external", 64)
    block.initialize(mx.init.One())
    for layer in (block.key, block.value):
        assert np.std(layer.weight.data().asnumpy()) == pytest.approx(1e-3, rel=0.1)


def test_cam_takes_its_products_in_float32():
    """Products of these channels are beyond float16, which ends at 65504."""
    block = drawn("cam", 16, SPREAD)
    x = mx.nd.random.normal(scale=100, shape=(2, 16, 7, 5)).astype("float16")
    with fast.plain_operators():  # MXNet has no float16 matrix products on a CPU
        wanted = block(x.astype("float32")).asnumpy()
    block.cast("float16")
    got = block.narrow(mx.nd, block.attended(mx.nd, x))
    assert got.dtype == np.float16
    got = x.asnumpy().astype("float32") + got.asnumpy().reshape(x.shape) * float(block.gamma.data().asscalar())
    assert np.abs(got - wanted).max() <= 2e-3 * np.abs(wanted).max()


def learned(block):
    return sum(int(np.prod(p.shape)) for p in block.collect_params().values() if p.grad_req != "null")


def test_aa_costs_what_was_published():
    """AA-ResNet-50 has 25.8 million weights: ResNet-50's 25,557,032 with the 3x3 of three stages replaced."""
    total = 25_557_032
    for channels, side, blocks in ((128, 28, 4), (256, 14, 6), (512, 7, 3)):
        total += blocks * (learned(get_attention("aa", channels, spatial=side)) - 9 * channels**2)
    assert round(total / 1e6, 1) == 25.8


@pytest.mark.parametrize("size", [(8, 6), (7, 5)])
def test_aa_with_a_stride(size):
    """Every second pixel of the convolution, and attention on averages of 2x2 pixels."""
    block, x = drawn("aa", 16, SPREAD, spatial=size, stride=2), mx.nd.random.normal(shape=(2, 16, *size))
    whole = mx.nd.Convolution(
        x, block.conv.weight.data(), block.conv.bias.data(), num_filter=8, kernel=(3, 3), pad=(1, 1)
    )  # fmt: skip
    small = mx.gluon.nn.AvgPool2D(2, 2, ceil_mode=True, count_include_pad=False)(x)
    wanted = mx.nd.concat(whole[:, :, ::2, ::2], block.mix(block.attention(small)), dim=1)
    np.testing.assert_allclose(block(x).asnumpy(), wanted.asnumpy(), rtol=1e-4, atol=1e-5)


def test_bot_costs_what_its_convolutions_do():
    """In BoTNet-50 (20.8 million weights) three 3x3 convolutions of 512 channels give way, at 14x14 pixels and 7x7."""
    total = 25_557_032
    for side in (14, 7, 7):
        total += learned(get_attention("bot", 512, spatial=side)) - 9 * 512**2
    assert total // 10**5 == 208  # as the paper cuts ResNet-50's 25.5


@pytest.mark.parametrize(
    ("channels", "heads", "keys", "values"), [(16, 8, 20, 1), (64, 8, 20, 1), (256, 8, 20, 3), (2048, 8, 51, 26)]
)
def test_aa_widths(channels, heads, keys, values):
    block = get_attention("aa", channels, spatial=7)
    assert block.attention.query.weight.shape[0] == heads * keys
    assert block.attention.value.weight.shape[0] == heads * values
    assert block.conv.weight.shape[0] == channels - heads * values


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("nonlocal", {"mode": "concat"}, "mode must be gaussian or embedded or dot, got 'concat'"),
        ("nonlocal", {"reduction": 0}, "reduction must be a whole number above 0, got 0"),
        ("external", {"memory": 0}, "memory must be a whole number above 0, got 0"),
        ("pam", {"reduction": 0}, "reduction must be a whole number above 0, got 0"),
        ("bot", {}, "bot has weights for distances in the feature map: give its height as spatial"),
        ("bot", {"heads": 3, "spatial": 7}, "bot needs heads of one size: heads=3 does not divide 16 channels"),
        ("bot", {"spatial": (7, 5, 3)}, "spatial must be a height, or height and width, got (7, 5, 3)"),
        ("aa", {}, "aa has weights for distances in the feature map: give its height as spatial"),
        ("aa", {"spatial": 7, "value_share": 2}, "value_share must be a number above 0 and at most 1, got 2"),
        ("aa", {"spatial": 7, "key_share": True}, "key_share must be a number above 0 and at most 1, got True"),
        ("aa", {"spatial": 7, "heads": 17}, "aa gives each of its 17 heads a channel, but has 16: take fewer heads"),
        ("lambda", {"kernel_size": 4}, "kernel_size must be odd, got 4"),
        ("lambda", {"keys": 0}, "keys must be a whole number above 0, got 0"),
        ("lambda", {"heads": 5}, "lambda needs heads of one size: heads=5 does not divide 16 channels"),
    ],
)
def test_wrong_options(name, options, words):
    with pytest.raises(UserError) as caught:
        get_attention(name, 16, **options)
    assert str(caught.value) == words


@pytest.mark.parametrize("name", ["aa", "bot"])
def test_a_map_of_another_size_is_refused(name):
    block = drawn(name, 16, SPREAD, spatial=7)
    with pytest.raises(UserError, match=r"positions of the feature map: made for maps of 7x7 \(spatial\), got 9x7"):
        block(mx.nd.ones((1, 16, 9, 7)))


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("NonLocal", "nonlocal"), ("PAM", "pam"), ("CAM", "cam"), ("DANet", "danet"), ("LambdaLayer", "lambda"),
        ("ExternalAttention", "external"),
    ],
)  # fmt: skip
def test_other_spellings(alias, name):
    assert type(get_attention(alias, 16)) is type(get_attention(name, 16))


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("AA", "aa"), ("AAConv", "aa"), ("attention_augmented", "aa"), ("BoT", "bot"), ("mhsa", "bot"),
        ("botnet", "bot"),
    ],
)  # fmt: skip
def test_other_spellings_where_spatial_is_needed(alias, name):
    assert type(get_attention(alias, 16, spatial=7)) is type(get_attention(name, 16, spatial=7))


@pytest.mark.parametrize("name", ["aa", "bot", "lambda"])
@pytest.mark.parametrize("model", ["cifar_resnet20_v1", "cifar_resnet164_v1"])
def test_in_place_of_a_convolution(name, model, tmp_path):
    # of the 18 blocks of the last stage of ResNet-164 the first two: one with a stride, one without
    scheme = "0" * 36 + "11" + "0" * 16 if "164" in model else "0" * 6 + "111"
    net = get_model(model, 10, plan=Plan([{"slot": "conv", "name": name, "scheme": scheme}]))
    net.initialize(mx.init.Xavier())
    net.hybridize()
    x = mx.nd.random.normal(shape=(2, 3, 32, 32))
    with mx.autograd.record():
        y = net(x)
    y.backward(mx.nd.ones(y.shape))
    assert y.shape == (2, 10)
    for key, param in net.collect_params().items():
        assert param.grad_req == "null" or np.isfinite(param.grad().asnumpy()).all(), key
    net.export(str(tmp_path / "net"))
