"""Polarized self-attention, FcaNet, BAT and the spatial ATAC units against their formulas in NumPy, in float64."""

import mxnet as mx
import numpy as np
import pytest
from formulas import Weights, answer, drawn, relu, sigmoid, softmax

from gluon_attn import get_attention, get_model
from gluon_attn.nn import fast
from gluon_attn.utils.errors import UserError

SIZE = (7, 5)


def channel_gate(w, x):
    a = softmax(w.conv("channel_query", x).reshape(len(x), 1, -1), 2)
    pooled = (w.conv("channel_value", x).reshape(len(x), -1, a.shape[2]) * a).sum(2)[:, :, None, None]
    z = w.conv("expand", pooled)
    z = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-5)
    return sigmoid(z * w.all["norm.gamma"] + w.all["norm.beta"])


def space_gate(w, x):
    query = softmax(w.conv("space_query", x).mean((2, 3)), 1)
    values = np.einsum("nchw,co->nohw", x, w.all["space_value.weight"][:, :, 0, 0])
    return sigmoid(np.einsum("no,nohw->nhw", query, values))[:, None]


def polarized_parallel(w, x):
    return x * channel_gate(w, x) + x * space_gate(w, x)


def polarized_sequential(w, x):
    z = x * channel_gate(w, x)
    return z * space_gate(w, z)


#: the sixteen pairs of the authors' file, rows and columns apart
ROWS = [0, 0, 6, 0, 0, 1, 1, 4, 5, 1, 3, 0, 0, 0, 3, 2]
COLUMNS = [0, 1, 0, 5, 2, 0, 2, 0, 0, 6, 0, 4, 6, 3, 5, 2]


def fca(w, x, groups=16):
    n, c, height, width = x.shape
    spectrum = np.zeros((n, c))
    for channel in range(c):
        u, v = (pick[channel // (c // groups)] for pick in (ROWS, COLUMNS))
        u, v = u * (height // 7), v * (width // 7)
        for i in range(height):
            for j in range(width):
                rows = np.cos(np.pi * u * (i + 0.5) / height) * np.sqrt((2 if u else 1) / height)
                columns = np.cos(np.pi * v * (j + 0.5) / width) * np.sqrt((2 if v else 1) / width)
                spectrum[:, channel] += x[:, channel, i, j] * rows * columns
    hidden = relu(spectrum @ w.all["mlp.0.weight"][:, :, 0, 0].T)
    return x * sigmoid(hidden @ w.all["mlp.2.weight"][:, :, 0, 0].T)[:, :, None, None]


def bat(w, x, size=7, groups=2):
    """Blocks of a map that is continued by zeros to a multiple of `size`."""
    n, _, height, width = x.shape
    z = w.layer("squeeze", x)
    maps, hidden = w.layer("maps", z), z.shape[1]
    fill = ((0, 0), (0, 0), (0, -height % size), (0, -width % size))
    z, maps = np.pad(z, fill), np.pad(maps, fill)
    high, wide = z.shape[2] // size, z.shape[3] // size
    blocks = z.reshape(n, hidden, size, high, size, wide)
    of_rows = maps.reshape(n, groups, size, -1).max(3)
    of_columns = maps.max(2).reshape(n, groups, size, wide).max(3)

    def matrix(name, pooled):
        weight = w.all[f"{name}.weight"].reshape(-1, groups, size)
        share = sigmoid(np.einsum("ngb,ogb->no", pooled, weight) + w.all[f"{name}.bias"])
        return np.repeat(share.reshape(n, groups, size, size), hidden // groups, axis=1)

    p, q = matrix("rows", of_rows), matrix("columns", of_columns)
    p, q = p / p.sum(3, keepdims=True), q / q.sum(2, keepdims=True)
    t = np.einsum("ncai,ncisju,ncjb->ncasbu", p, blocks, q).reshape(z.shape)[:, :, :height, :width]
    return x + w.layer("expand", w.layer("mix", t))


def spatial_unit(w, x):
    inner = relu(w.norm("space.1", w.conv("space.0", x, groups=x.shape[1])))
    return x * sigmoid(w.norm("space.4", w.conv("space.3", inner)))


def seq_atac(w, x):
    logits = w.norm("mlp.4", w.conv("mlp.3", w.layer("mlp", x)))
    return spatial_unit(w, x * sigmoid(logits))


#: (name, channels, options, height and width, the formula)
CASES = [
    ("polarized_parallel", 16, {}, SIZE, polarized_parallel),
    ("polarized_sequential", 12, {"reduction": 3}, SIZE, polarized_sequential),
    ("fca", 32, {"spatial": 7}, (7, 7), fca),
    ("fca", 16, {"spatial": (14, 22), "reduction": 4}, (14, 22), fca),
    ("fca", 12, {"spatial": 8, "frequencies": 3}, (8, 8), lambda w, x: fca(w, x, 3)),
    ("fca", 24, {"spatial": 8}, (8, 8), lambda w, x: fca(w, x, 8)),
    ("bat", 16, {}, (14, 21), bat),
    ("bat", 16, {}, (7, 7), bat),
    ("bat", 16, {}, SIZE, bat),
    ("bat", 24, {"block_size": 3, "groups": 3, "reduction": 2}, (10, 4), lambda w, x: bat(w, x, 3, 3)),
    ("spa_atac", 6, {}, SIZE, spatial_unit),
    ("spa_atac", 6, {"kernel_size": 5}, SIZE, spatial_unit),
    ("seq_atac", 8, {}, SIZE, seq_atac),
    ("seq_atac", 8, {"reduction": 4, "kernel_size": 1}, SIZE, seq_atac),
]


@pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
@pytest.mark.parametrize(("name", "channels", "options", "size", "formula"), CASES)
def test_value_is_the_papers(name, channels, options, size, formula, plain):
    block = drawn(name, channels, **options)
    x = np.random.normal(size=(3, channels, *size)).astype("float32")
    wanted = formula(Weights(block), x.astype("float64"))
    got = answer(block, x, plain)
    # chains of up to two dozen float32 operations, each good to 6e-8
    assert np.abs(got - wanted).max() <= 4e-6 * np.abs(wanted).max()
    assert np.abs(wanted - x).max() > 0.1


def test_one_frequency_is_a_scaled_average():
    """The lowest frequency of an orthonormal basis: the sum over the root of the number of pixels."""
    block, x = drawn("fca", 8, spatial=(6, 9), frequencies=1), mx.nd.random.normal(shape=(2, 8, 6, 9))
    se = get_attention("se", 8, bias=False)
    se.initialize()
    for own, other in zip(se.mlp.collect_params().values(), block.mlp.collect_params().values(), strict=True):
        own.set_data(other.data())
    scaled = fast.sigmoid(mx.nd, se.mlp(fast.global_avg(mx.nd, x) * np.sqrt(54)))
    np.testing.assert_allclose(block(x).asnumpy(), (x * scaled).asnumpy(), rtol=1e-5, atol=1e-6)


def test_the_basis_is_orthonormal_and_no_weight():
    block = drawn("fca", 16, spatial=7)
    basis = block.basis.data().asnumpy()[0]
    np.testing.assert_allclose(basis @ basis.T, np.eye(16), atol=1e-6)
    assert block.basis.grad_req == "null"


def test_bats_shares_stay_numbers_far_below_zero():
    """There every sigmoid is 0 in float32, and so is their sum."""
    block, x = drawn("bat", 16), mx.nd.random.normal(shape=(1, 16, 14, 14))
    block.rows.bias.data()[:] = -500
    x.attach_grad()
    with mx.autograd.record(train_mode=False):
        y = block(x)
    y.backward(train_mode=False)
    assert np.isfinite(y.asnumpy()).all()
    assert np.isfinite(x.grad.asnumpy()).all()


def test_bat_drops_whole_maps_in_training_only():
    block, x = drawn("bat", 16, drop_rate=0.5), mx.nd.random.normal(shape=(8, 16, 7, 7))
    with mx.autograd.record():
        kept = ((block(x) - x) != 0).asnumpy().any((2, 3))
    assert 0.2 < kept.mean() < 0.8
    calm = drawn("bat", 16, drop_rate=0)
    with mx.autograd.record():
        assert (calm(x) == calm(x)).asnumpy().all()
    assert (block(x) == block(x)).asnumpy().all()


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("fca", {}, "fca has a weight for each pixel: give the height of the feature map as spatial"),
        ("fca", {"spatial": 7, "frequencies": 17}, "fca has 16 frequencies, got frequencies=17"),
        ("fca", {"spatial": 7, "frequencies": 3}, "frequencies=3 does not divide 16 channels"),
        ("fca", {"spatial": 7, "frequencies": 0}, "frequencies must be a whole number above 0, got 0"),
        ("fca", {"spatial": (7, 7, 7)}, "spatial must be a height, or height and width, got (7, 7, 7)"),
        ("bat", {"drop_rate": 1}, "drop_rate must be from 0 to below 1, got 1"),
        ("bat", {"block_size": 0}, "block_size must be a whole number above 0, got 0"),
        ("bat", {"groups": 0}, "groups must be a whole number above 0, got 0"),
        ("polarized_parallel", {"reduction": 0}, "reduction must be a whole number above 0, got 0"),
        ("spa_atac", {"kernel_size": 2}, "kernel_size must be odd, got 2"),
        ("seq_atac", {"kernel_size": 2}, "kernel_size must be odd, got 2"),
    ],
)
def test_wrong_options(name, options, words):
    with pytest.raises(UserError) as caught:
        get_attention(name, 16, **options)
    assert str(caught.value) == words


def test_a_map_of_another_size_than_the_basis_is_refused():
    with pytest.raises(UserError, match=r"made for maps of 7x7 \(spatial\), got 9x7"):
        drawn("fca", 16, spatial=7)(mx.nd.ones((1, 16, 9, 7)))


@pytest.mark.parametrize("name", ["SpaATAC", "SeqATAC"])
def test_the_spatial_units_stand_for_activations(name):
    net = get_model("atac", 10, blocks=1, act_type=name, act_layers=1)
    assert type(net.features[6]).__name__ == name
    assert get_model("cifar_resnet20_v1", attention=name).recipe["plan"]["entries"][0]["slot"] == "act"
