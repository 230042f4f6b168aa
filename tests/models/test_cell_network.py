"""Networks of searched cells: published counts, the auxiliary head, dropped paths, what is refused."""

import json

import mxnet as mx
import numpy as np
import pytest
from model_checks import num_weights

from gluon_attn import get_attention, get_model
from gluon_attn.genotypes.files import published
from gluon_attn.models.cell import is_identity
from gluon_attn.nn import kernels
from gluon_attn.nn.cell_ops import cell_op
from gluon_attn.nn.layers import DropPath, set_drop_path
from gluon_attn.utils.errors import UserError

SMALL = {"channels": 4, "layers": 3}
#: one attention as a first layer, one as an operation's follower, one behind the cell
MIXED = {
    name: {
        "edges": [["SE", 0, "CBAM"], ["sep_conv_3x3", 1, "Identity"], ["skip_connect", 2, "BAM"], ["SE", 1, "SE"]],
        "concat": [2, 3],
        "bottleneck": "GE_theta-plus",
    }
    for name in ("normal", "reduce")
}


def made(name="darts_cifar", classes=10, **options):
    net = get_model(name, classes, **{**SMALL, **options})
    net.initialize(mx.init.Xavier())
    return net


def images(count=2, size=32):
    return mx.nd.random.uniform(shape=(count, 3, size, size))


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("darts_v2_cifar", 3_349_342),
        ("att_darts_cifar", 3_231_343),
        ("darts_imagenet", 4_718_752),
        ("att_darts_imagenet", 4_641_666),
    ],
)
def test_published_counts(name, weights):
    """3.3, 3.2, 4.7 and 4.6 million in the papers; the integers are of their code, without the auxiliary head."""
    assert num_weights(get_model(name, 1000 if "imagenet" in name else 10)) == weights


@pytest.mark.parametrize("name", published("normal"))
def test_every_published_genotype_runs(name):
    net = made(genotype=name)
    net.hybridize()
    assert net(images()).shape == (2, 10)


def test_cells_of_any_kind(tmp_path):
    (tmp_path / "cell.json").write_text(json.dumps(MIXED))
    net = made(genotype=tmp_path / "cell.json", input_size=20)
    assert net(images(size=20)).shape == (2, 10)
    assert [len(cell.first[0]) if hasattr(cell.first[0], "__len__") else 0 for cell in net.cells] == [0, 2, 2]
    assert net.cells[0].bottleneck.gather[0].weight.shape[2:] == (20, 20)
    assert net.cells[2].bottleneck.gather[0].weight.shape[2:] == (5, 5)
    assert net.recipe["options"]["genotype"]["normal"]["edges"][0] == ["SE", 0, "CBAM"]


def test_the_auxiliary_head_is_for_training():
    net, x = made(auxiliary=True), images()
    for hybrid in (False, True):
        net.hybridize(hybrid)
        assert net(x).shape == (2, 10)
        with mx.autograd.record():
            logits, auxiliary = net(x)
            (logits.sum() + auxiliary.sum()).backward()
        assert logits.shape == auxiliary.shape == (2, 10)
    assert net.auxiliary_head.classifier.weight.grad().abs().sum().asscalar() > 0
    assert "auxiliary" not in "".join(net(mx.sym.var("data")).list_arguments())


@pytest.mark.parametrize(
    ("name", "layers", "smallest"), [("darts_cifar", 3, 29), ("darts_imagenet", 3, 193), ("darts_cifar", 1, 15)]
)
@pytest.mark.parametrize("hybrid", [False, True])
def test_images_that_are_too_small_for_the_auxiliary_head(name, layers, smallest, hybrid):
    net = get_model(name, 10, channels=4, layers=layers, auxiliary=True)
    net.initialize()
    net.hybridize(hybrid)
    with mx.autograd.record():
        assert net(images(1, smallest))[1].shape == (1, 10)
        with pytest.raises(UserError, match=r"head needs feature maps of at least \d pixels, here they have \d"):
            net(images(1, smallest - 1))


def test_paths_are_dropped_in_training_only():
    net, x = made(drop_path=0.5), images(8)
    assert np.allclose(net(x).asnumpy(), net(x).asnumpy())
    with mx.autograd.record():
        dropped, other = net(x), net(x)
    assert not np.allclose(dropped.asnumpy(), other.asnumpy())
    set_drop_path(net, 0.0)
    with mx.autograd.record():
        dropped, other = net(x), net(x)
    assert np.allclose(dropped.asnumpy(), other.asnumpy())


def test_shortcuts_are_never_dropped():
    """A path with an identity in either layer has nothing that drops it; a skip that halves the map is none."""
    net = made(genotype="DARTS_V2", drop_path=0.3)
    drops = [[isinstance(drop, DropPath) for drop in cell.drop] for cell in net.cells]
    assert drops[0] == [True] * 5 + [False] * 2 + [True]
    assert drops[1] == [True, True, False, True, True, False, False, True]
    assert is_identity(cell_op("skip_connect", 4))
    assert is_identity(get_attention("Identity", 4))
    assert not is_identity(cell_op("skip_connect", 4, stride=2))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"genotype": "DARTS_V3"}, "genotype must be AmoebaNet or Att_DARTS or DARTS_V1 or DARTS_V2 or NASNet"),
        ({"genotype": {"normal": MIXED["normal"]}}, "the reduce cell of a genotype is a mapping"),
        ({"layers": 0}, "layers must be a whole number above 0"),
        ({"drop_path": 1}, "drop_path must be from 0 to below 1"),
        ({"auxiliary": True, "input_size": 16}, "the auxiliary head needs feature maps of at least 8 pixels, "),
        ({"auxiliary": "no"}, "auxiliary must be true or false"),
        (
            {"genotype": {**MIXED, "normal": {"edges": [["huh", 0], ["SE", 1]], "concat": [2]}}},
            "unknown operation 'huh' in a genotype; choose from avg_pool_3x3",
        ),
    ],
)
def test_refused(options, words):
    with pytest.raises(UserError) as caught:
        made(**options)
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["Att_DARTS", "DARTS_V2", "AmoebaNet"])
@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_in_float32(name, compiled):
    """Hybridized, as oneDNN computes them, against float64, as MXNet does."""
    net = get_model("darts_cifar", 4, genotype=name, channels=8, layers=3, input_size=16)
    net.initialize(mx.init.Xavier())
    x, found = mx.nd.random.normal(shape=(4, 3, 16, 16)), []
    for dtype in ("float32", "float64"):
        net.cast(dtype)
        net.hybridize(static_alloc=True)
        with kernels.compiled_operators() if compiled else mx.autograd.train_mode(), mx.autograd.record():
            loss = (net(x.astype(dtype)) ** 2).sum()
        loss.backward()
        params = net._collect_params_with_prefix().items()
        found.append({n: p.grad().asnumpy().astype("float64") for n, p in params if p.grad_req != "null"})
    got, wanted = (np.concatenate([grads[key].ravel() for key in found[1]]) for grads in found)
    # rounding gives 1e-6, a pixel at a ReLU's kink about a thousandth
    assert np.linalg.norm(got - wanted) <= 0.02 * np.linalg.norm(wanted)
