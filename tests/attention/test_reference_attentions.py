"""BAM, Gather-Excite, double attention, SGE and triplet attention against their formulas in NumPy, in float64."""

import mxnet as mx
import numpy as np
import pytest
from formulas import Weights, answer, assert_gradient_is_the_finite_difference, drawn, mean, relu, sigmoid, softmax

from gluon_attn import get_attention
from gluon_attn.nn import fast
from gluon_attn.utils.errors import UserError


def bam(w, x, dilation=4, added=True, inner=False):
    def branch(name, y, dilations):
        layer = 0
        for number, rate in enumerate(dilations, 1):
            y, layer = w.conv(f"{name}.{layer}", y, dilation=rate or 1), layer + 1
            last = number == len(dilations)
            if last != inner:
                y, layer = w.norm(f"{name}.{layer}", y), layer + 1
            if not last:
                y, layer = relu(y), layer + 1
        return y

    channel, space = branch("channel", mean(x), (0, 0)), branch("space", x, (0, dilation, dilation, 0))
    return x * (1 + sigmoid(channel + space if added else channel * space))


def a2(w, x, frames=1):
    def clips(maps):
        n, c, h, width = maps.shape
        split = maps.reshape(n // frames, frames, c, h * width).transpose(0, 2, 1, 3)
        return split.reshape(n // frames, c, -1)

    n, _, h, width = x.shape
    features, maps, weights = (clips(w.conv(name, x)) for name in ("feature", "gather", "distribute"))
    gathered = features @ softmax(maps, 2).transpose(0, 2, 1)
    mixed = (gathered @ softmax(weights, 1)).reshape(n // frames, -1, frames, h * width)
    return x + w.conv("expand", mixed.transpose(0, 2, 1, 3).reshape(n, -1, h, width))


def sge(w, x, groups=4, unbiased=0):
    n, c, h, width = x.shape
    members = x.reshape(n, groups, c // groups, h * width)
    s = (members * members.mean(3, keepdims=True)).sum(2)
    t = (s - s.mean(2, keepdims=True)) / (s.std(2, ddof=unbiased, keepdims=True) + 1e-5)
    gate = sigmoid(t * w.all["weight"].reshape(1, -1, 1) + w.all["bias"].reshape(1, -1, 1))
    return (members * gate[:, :, None]).reshape(x.shape)


def triplet(w, x, names=("cw", "hc", "hw")):
    orders = {"cw": (0, 2, 1, 3), "hc": (0, 3, 2, 1), "hw": (0, 1, 2, 3)}
    total = 0
    for name in names:
        turned = x.transpose(orders[name])
        pooled = np.stack([turned.max(1), turned.mean(1)], 1)
        gate = sigmoid(w.norm(f"{name}.1", w.conv(f"{name}.0", pooled)))
        total = total + (turned * gate).transpose(orders[name])  # each order is its own inverse
    return total / len(names)


def spread(small, x):
    """Row i of H takes row floor(i h / H) of h."""
    (h, width), (height, across) = small.shape[2:], x.shape[2:]
    rows, columns = [i * h // height for i in range(height)], [j * width // across for j in range(across)]
    return small[:, :, rows][:, :, :, columns]


def theta_minus(w, x, extent=0, overlap=True):
    if not extent:
        return x * sigmoid(mean(x))
    border = extent - 1 if overlap else 0
    size = range(-border, extent)
    centres = [range(0, side if overlap else side - extent + 1, extent) for side in x.shape[2:]]
    small = np.zeros((*x.shape[:2], *map(len, centres)))
    for i, top in enumerate(centres[0]):
        for j, left in enumerate(centres[1]):
            rows = [top + d for d in size if 0 <= top + d < x.shape[2]]
            columns = [left + d for d in size if 0 <= left + d < x.shape[3]]
            small[:, :, i, j] = x[:, :, rows][:, :, :, columns].mean((2, 3))
    return x * sigmoid(spread(small, x))


def theta(w, x, extent=0, mlp=False):
    small = x
    if not extent:
        small = w.norm("gather.1", w.conv("gather.0", x, padding=0, groups=x.shape[1]))
    for step in range(max(extent.bit_length() - 1, 0)):
        small = relu(small) if step else small
        small = w.norm(f"gather.{3 * step + 1}", w.conv(f"gather.{3 * step}", small, 2, 1, groups=x.shape[1]))
    return x * sigmoid(spread(excite(w, small) if mlp else small, x))


def excite(w, small):
    return w.conv("mlp.2", relu(w.conv("mlp.0", small)))


#: (name, channels, options, the formula)
CASES = [
    ("bam", 32, {}, bam),
    ("bam", 12, {"reduction": 4, "dilation": 2}, lambda w, x: bam(w, x, dilation=2)),
    ("bam", 32, {"variant": "reference"}, lambda w, x: bam(w, x, added=False, inner=True)),
    ("bam", 32, {"norm": "inner"}, lambda w, x: bam(w, x, inner=True)),
    ("a2", 16, {}, a2),
    ("a2", 6, {"c_m": 5, "c_n": 3}, a2),
    ("a2", 8, {"frames": 2}, lambda w, x: a2(w, x, frames=2)),
    ("sge", 16, {"groups": 4}, sge),
    ("sge", 24, {}, lambda w, x: sge(w, x, groups=8)),
    ("sge", 16, {"groups": 4, "variant": "reference"}, lambda w, x: sge(w, x, unbiased=1)),
    ("triplet", 6, {}, triplet),
    ("triplet", 6, {"kernel_size": 3, "bias": True}, triplet),
    ("triplet", 6, {"no_spatial": True}, lambda w, x: triplet(w, x, ("cw", "hc"))),
    ("ge_theta_minus", 4, {}, theta_minus),
    ("ge_theta_minus", 4, {"extent": 2}, lambda w, x: theta_minus(w, x, 2)),
    ("ge_theta_minus", 4, {"extent": 8}, lambda w, x: theta_minus(w, x, 8)),
    ("ge_theta_minus", 4, {"extent": 4, "variant": "reference"}, lambda w, x: theta_minus(w, x, 4, overlap=False)),
    ("ge_theta_minus", 8, {"reduction": 2}, lambda w, x: x * sigmoid(excite(w, mean(x)))),
    ("ge_theta", 4, {"spatial": (7, 5)}, theta),
    ("ge_theta", 4, {"extent": 2}, lambda w, x: theta(w, x, 2)),
    ("ge_theta", 4, {"extent": 8}, lambda w, x: theta(w, x, 8)),
    ("ge_theta_plus", 16, {"spatial": [7, 5]}, lambda w, x: theta(w, x, mlp=True)),
    ("ge_theta_plus", 8, {"extent": 4, "reduction": 2}, lambda w, x: theta(w, x, 4, mlp=True)),
]


@pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
@pytest.mark.parametrize(("name", "channels", "options", "formula"), CASES)
def test_value_is_the_papers(name, channels, options, formula, plain):
    block = drawn(name, channels, **options)
    x = np.random.normal(size=(4, channels, 7, 5)).astype("float32")
    wanted = formula(Weights(block), x.astype("float64"))
    got = answer(block, x, plain)
    # chains of up to two dozen float32 operations, each good to 6e-8
    assert np.abs(got - wanted).max() <= 4e-6 * np.abs(wanted).max()
    assert np.abs(wanted - x).max() > 0.1


@pytest.mark.parametrize("extent", [2, 4, 8])
@pytest.mark.parametrize("name", ["ge_theta_minus", "ge_theta", "ge_theta_plus"])
def test_extents_work_hybridized_and_their_gradients_are_the_slopes(name, extent):
    block = drawn(name, 16, extent=extent)
    block.hybridize()
    assert_gradient_is_the_finite_difference(block, mx.nd.random.normal(shape=(2, 16, 9, 6)))


def test_bam_costs_what_was_published():
    """25,915,099 weights of BAM-ResNet-50 are 25,557,032 of ResNet-50 and the modules behind its first stages."""
    blocks = [get_attention("bam", channels, norm="inner") for channels in (256, 512, 1024)]
    learned = [p for block in blocks for p in block.collect_params().values() if p.grad_req != "null"]
    assert sum(int(np.prod(p.shape)) for p in learned) == 25_915_099 - 25_557_032


def test_triplet_and_sge_cost_what_was_published():
    """SGE-ResNet-50 25,559,080 and Triplet-ResNet-50 25,561,832: 16 modules more than ResNet-50."""

    def learned(block):
        return sum(int(np.prod(p.shape)) for p in block.collect_params().values() if p.grad_req != "null")

    assert 16 * learned(get_attention("sge", 256)) == 25_559_080 - 25_557_032
    assert 16 * learned(get_attention("triplet", 256)) == 25_561_832 - 25_557_032


@pytest.mark.parametrize("variant", ["paper", "reference"])
def test_sge_is_finite_where_the_map_is_constant(variant):
    block, x = drawn("sge", 16, variant=variant), mx.nd.ones((2, 16, 1, 1))
    x.attach_grad()
    with mx.autograd.record():
        y = block(x)
    y.backward()
    bias = block.bias.data().asnumpy()
    np.testing.assert_allclose(y.asnumpy(), np.broadcast_to(sigmoid(bias), y.shape), rtol=1e-6)
    assert np.isfinite(x.grad.asnumpy()).all()


def test_sge_takes_its_statistics_in_float32(monkeypatch):
    """Squares of these sums are beyond float16, which ends at 65504."""
    # MXNet has no float16 matrix products on a CPU, and the gate is one
    monkeypatch.setattr(fast, "spatial_gate", lambda F, x, gate: F.broadcast_mul(x, gate))
    block = drawn("sge", 16, groups=4)
    x = mx.nd.random.normal(scale=20, shape=(2, 16, 7, 5)).astype("float16")
    wanted = block(x.astype("float32")).asnumpy()
    block.cast("float16")
    got = block(x)
    assert got.dtype == np.float16
    assert np.abs(got.asnumpy() - wanted).max() <= 2e-3 * np.abs(wanted).max()


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("bam", {"variant": "code"}, "variant must be paper or reference, got 'code'"),
        ("bam", {"norm": "first"}, "norm must be last or inner or space, got 'first'"),
        ("bam", {"dilation": 0}, "dilation must be a whole number above 0, got 0"),
        ("sge", {"groups": 5}, "sge needs groups of one size: groups=5 does not divide 16 channels"),
        ("sge", {"variant": None}, "variant must be paper or reference, got None"),
        ("a2", {"c_m": 0}, "c_m must be a whole number above 0, got 0"),
        ("triplet", {"kernel_size": 4}, "kernel_size must be odd, got 4"),
        (
            "ge_theta",
            {},
            "extent 0 needs the size of the feature map: give its height as spatial, or an extent of 2, 4 or 8",
        ),
        ("ge_theta", {"spatial": (7, 5, 3)}, "spatial must be a height, or height and width, got (7, 5, 3)"),
        ("ge_theta", {"extent": 3}, "extent must be 0, 2, 4 or 8, got 3"),
        ("ge_theta_plus", {"extent": True}, "extent must be 0, 2, 4 or 8, got True"),
        ("ge_theta_minus", {"reduction": 0}, "reduction must be a whole number above 0, got 0"),
    ],
)
def test_wrong_options(name, options, words):
    with pytest.raises(UserError) as caught:
        get_attention(name, 16, **options)
    assert str(caught.value) == words


def test_a_map_of_another_size_than_the_kernel_is_refused():
    block = drawn("ge_theta", 16, spatial=7)
    with pytest.raises(UserError, match=r"made for maps of 7x7 \(spatial\), got 9x7"):
        block(mx.nd.ones((1, 16, 9, 7)))


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("BAM", "bam"), ("DoubleAttention", "a2"), ("SGE", "sge"), ("SpatialGroupEnhance", "sge"),
        ("TripletAttention", "triplet"), ("GE_theta-minus", "ge_theta_minus"),
    ],
)  # fmt: skip
def test_the_references_spellings(alias, name):
    assert type(get_attention(alias, 16)) is type(get_attention(name, 16))


@pytest.mark.parametrize(("alias", "name"), [("GE_theta", "ge_theta"), ("GE_theta-plus", "ge_theta_plus")])
def test_the_references_spellings_of_gather_excite(alias, name):
    assert type(get_attention(alias, 16, spatial=7)) is type(get_attention(name, 16, spatial=7))
