"""The contract of all backbones: shapes, modes, dtypes, parameter names, common options (slots: test_slots.py)."""

from dataclasses import dataclass, field

import mxnet as mx
import numpy as np
import pytest
from model_checks import blocks_of, initialized, randomized
from mxnet.gluon import nn

from gluon_attn import get_model, list_models
from gluon_attn.models.factory import model_info
from gluon_attn.models.resnet.gluon_blocks import BlockV1
from gluon_attn.models.resnet.torch_blocks import TorchBlock
from gluon_attn.utils.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore:Cannot decide type")


@dataclass
class Case:
    """A network and the height and width of its images.

    large: deep or wide, so that rounding adds up to more. narrow: its attention has so few hidden units that random
    weights may leave all of them at the ReLU's zeros.
    """

    name: str
    options: dict = field(default_factory=dict)
    shape: tuple = (16, 16)
    large: bool = False
    narrow: bool = False

    def __str__(self):
        return "-".join([self.name, *map(str, self.options.values())])


#: one of each kind of block, stem, shortcut and head, most of them with an attention
NETWORKS = [
    Case("cifar_resnet20_v1", {"attention": "se"}, narrow=True),
    Case("cifar_resnet20_v2", {"attention": "se"}, narrow=True),
    Case("atac_cifar_resnet"),
    Case("cifar_resnet20_a", {"attention": "cbam"}),
    Case("cifar_resnet20_a", {"attention": "seq_atac"}),
    Case("cifar_resnet20_b", {"attention": "cha_atac"}),
    Case("se_cifar_resnet20"),
    Case("dia_cifar_resnet", {"depth": 20}),
    Case("anas_resnet20"),
    Case("resnet18_v1b", {"attention": "se"}, (40, 32), large=True),
    Case("resnet50_v1d", {"attention": "se"}, (40, 32), large=True),
    Case("cifar_resnet18", {"attention": "se"}, (40, 32), large=True),
    Case("mobilenet_v2", {"attention": "eca", "drop_rate": 0.0}, (64, 64), large=True),
    Case("mobilenet_v3_small", {"drop_rate": 0.0, "multiplier": 0.5}, (64, 64), large=True, narrow=True),
    Case("efficientnet_b0", {"drop_rate": 0.0, "width": 0.5, "depth": 0.4}, (64, 64), large=True, narrow=True),
    Case("mixnet_s", {"drop_rate": 0.0, "multiplier": 0.5}, (64, 64), large=True, narrow=True),
    Case("regnety_400mf", {"blocks": [1, 1, 1, 1]}, (64, 64), large=True, narrow=True),
]
each = pytest.mark.parametrize("case", NETWORKS, ids=str)


@pytest.mark.parametrize(
    "name",
    ["cifar_resnet20_v1", "cifar_resnet20_v2", "atac_cifar_resnet", "atac", "cifar_resnet20_a", "cifar_resnet20_b",
     "dia_cifar_resnet", "resnet18_v1", "resnet18_v1b", "mobilenet_v2"],
)  # fmt: skip
def test_any_batch_any_size_any_classes(name):
    options = {"depth": 20} if name == "dia_cifar_resnet" else {}
    net = get_model(name, 7, **options)
    net.initialize()
    net.hybridize()
    for shape in ((1, 3, 32, 32), (2, 3, 33, 20), (3, 3, 7, 5)):
        assert net(mx.nd.ones(shape)).shape == (shape[0], 7)
    dense = [block for block in get_model(name, **options).collect_params().values() if 1000 in (block.shape or ())]
    assert len(dense) == 2  # weight and bias: 1000 classes by default


@each
def test_imperative_is_hybrid_is_symbol_and_every_weight_learns(case, tmp_path):
    net, x = randomized(get_model(case.name, 10, **case.options)), mx.nd.random.normal(shape=(3, 3, *case.shape))
    wanted = net(x).asnumpy()
    close = {"rtol": 1e-3, "atol": 1e-4 * abs(wanted).max()} if case.large else {"rtol": 1e-4, "atol": 1e-5}
    for param in net.collect_params().values():
        if param.grad_req != "null":
            param.grad()[:] = np.nan
    net.hybridize(static_alloc=True, static_shape=True)
    np.testing.assert_allclose(net(x).asnumpy(), wanted, **close)
    with mx.autograd.record():
        loss = (net(x) ** 2).mean() if case.large else (net(x) ** 2).sum()
    loss.backward()
    grads = {n: p.grad().asnumpy() for n, p in net.collect_params().items() if p.grad_req != "null"}
    assert [n for n, grad in grads.items() if not np.isfinite(grad).all()] == []
    assert case.narrow or all(grad.any() for grad in grads.values())
    wanted = net(x).asnumpy()
    net.export(str(tmp_path / "net"))
    files = [str(tmp_path / f"net-{end}") for end in ("symbol.json", "0000.params")]
    loaded = mx.gluon.SymbolBlock.imports(files[0], ["data"], files[1])
    np.testing.assert_allclose(loaded(x).asnumpy(), wanted, **close)


@pytest.mark.parametrize(
    "name", ["cifar_resnet20_v1", "cifar_resnet20_v2", "cifar_resnet20_a", "mobilenet_v2", "mobilenet_v3_small"]
)
def test_a_network_in_another_dtype(name):
    net, x = randomized(get_model(name, 10)), mx.nd.random.normal(shape=(2, 3, 32, 32))
    single = net(x).asnumpy()
    net.cast("float64")
    double = net(x.astype("float64"))
    assert double.dtype == np.float64
    np.testing.assert_allclose(single, double.asnumpy(), rtol=1e-3, atol=1e-4 * abs(single).max())


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("cifar_resnet20_v1", ["features.2.0.body.0.weight", "features.3.0.downsample.1.running_var", "output.bias"]),
        ("cifar_resnet20_v2", ["features.2.0.bn1.gamma", "features.3.0.downsample.weight", "features.5.gamma"]),
        ("cifar_resnet20_a", ["conv1.weight", "layer3.2.bn2.gamma", "linear.bias"]),
        ("cifar_resnet20_b", ["layer2.0.downsample.0.weight", "layer2.0.downsample.1.running_var", "fc.bias"]),
        ("fbresnet50", ["conv1.bias", "layer1.0.downsample.0.bias", "layer4.2.conv3.bias", "last_linear.weight"]),
        ("dia_fbresnet50", ["layer4.2.post.cell.w_hh.0.2.bias"]),
        ("resnet50_v1b", ["conv1.weight", "bn1.gamma", "bn1.running_var", "fc.weight", "fc.bias",
                          "layer1.0.conv3.weight", "layer4.2.bn3.beta", "layer2.0.downsample.0.weight",
                          "layer2.0.downsample.1.running_mean"]),
        ("mobilenet_v2", ["features.1.conv.0.0.weight", "features.17.conv.3.running_var", "classifier.1.weight"]),
        ("efficientnet_b0", ["conv_stem.weight", "blocks.0.0.conv_dw.weight", "blocks.1.0.inner.mlp.0.weight",
                             "blocks.6.0.bn3.running_var", "conv_head.weight", "bn2.gamma", "classifier.bias"]),
        ("mobilenet_v3_large", ["blocks.2.0.inner.mlp.2.bias", "hidden.bias"]),
        ("regnety_400mf", ["conv1.weight", "layer1.0.inner.mlp.0.weight", "layer4.0.downsample.1.gamma", "fc.bias"]),
    ],
)  # fmt: skip
def test_parameter_names(name, names):
    own = set(get_model(name)._collect_params_with_prefix())
    assert set(names) <= own
    assert not any("downsample" in path for path in own if path.startswith(("layer2.1.", "features.3.1.")))


@pytest.mark.parametrize(
    ("name", "options", "step"),
    [
        ("resnet18_v1b", {}, 3), ("resnet50_v1d", {}, 5), ("cifar_resnet20_a", {}, 3),
        ("dia_cifar_resnet", {"depth": 20}, 1),
        *(("cifar_resnet20_v1", {"attention": name}, 3) for name in (None, "se", "cbam", "cha_atac")),
        *(("cifar_resnet164_v1", {"attention": name}, 9) for name in (None, "se", "cbam", "cha_atac")),
    ],
)  # fmt: skip
def test_last_gamma_starts_each_block_as_its_shortcut(name, options, step):
    net = initialized(name, last_gamma=True, **options)
    blocks = blocks_of(net)
    gammas = {n: p.data().asnumpy().max() for n, p in net.collect_params().items() if n.endswith("gamma")}
    assert list(gammas.values()).count(0) == len(blocks)
    for block in blocks:
        own = [gammas[layer.gamma.name] for layer in branch(block) if isinstance(layer, nn.BatchNorm)]
        assert own == [1] * (len(own) - 1) + [0]
    for block in blocks[::step]:
        first = next(layer for layer in branch(block) if isinstance(layer, nn.Conv2D))
        x = mx.nd.random.normal(shape=(2, first._in_channels, 4, 4))
        shortcut = block.downsample(x) if block.downsample else x
        out = block(x)
        out = out[0] if isinstance(out, tuple) else out
        assert (out.asnumpy() == np.maximum(shortcut.asnumpy(), 0)).all()


def branch(block):
    """The layers of a residual branch, without `post`."""
    return [getattr(block, name) for name in block._order] if isinstance(block, TorchBlock) else list(block.body)


@pytest.mark.parametrize("name", ["resnet18_v1b", "cifar_resnet20_v1", "cifar_resnet20_a", "dia_cifar_resnet"])
def test_without_last_gamma_blocks_do_something(name):
    net = initialized(name, **({"depth": 20} if name == "dia_cifar_resnet" else {}))
    assert {p.data().asnumpy().max() for n, p in net.collect_params().items() if n.endswith("gamma")} == {1}
    block = blocks_of(net)[1]
    assert isinstance(block, BlockV1 | TorchBlock)
    first = next(layer for layer in branch(block) if isinstance(layer, nn.Conv2D))
    x = mx.nd.random.normal(shape=(2, first._in_channels, 8, 8))
    out = block(x)
    out = out[0] if isinstance(out, tuple) else out
    assert np.abs((out - x.relu()).asnumpy()).max() > 0.01


@pytest.mark.parametrize("name", list_models())
def test_unknown_options_and_wrong_values_are_refused(name):
    known = model_info(name).options()
    for options, words in (
        ({"colour": 1}, f"model {name!r} has no option 'colour'"),
        ({"input_size": 0}, "input_size must be a whole number above 0, got 0"),
        ({"drop_rate": 1}, "drop_rate must be from 0 to below 1, got 1"),
    ):
        if "colour" in options or set(options) <= set(known):
            with pytest.raises(UserError) as caught:
                get_model(name, 10, **options)
            assert str(caught.value).startswith(words)
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name in list_models() if model_info(name).own_plan])
def test_another_attention_is_refused_where_the_name_says_it(name):
    with pytest.raises(UserError, match=f"model '{name}' has its attention in its name"):
        get_model(name, attention="eca")
