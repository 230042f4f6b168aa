"""ResNets with PyTorch's names: sizes that the published code counts, layers by hand, slots, what is refused."""

import mxnet as mx
import numpy as np
import pytest

import gluon_attn
from gluon_attn import Plan, get_model
from gluon_attn.analyze.cost import cost
from gluon_attn.models.plan import SLOTS
from gluon_attn.models.resnet.resnet import Block, PaddedShortcut
from gluon_attn.nn.layers import strided
from gluon_attn.utils.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore:Cannot decide type")
FOUND = {"sge": "1001011010011011", "dia": "1100011110010011"}


def learned(net):
    return sum(int(np.prod(p.shape)) for p in net.collect_params().values() if p.grad_req != "null")


def drawn(net):
    """The network with random weights and statistics."""
    net.initialize(mx.init.Xavier())
    for key, param in net.collect_params().items():
        if key.endswith(("gamma", "running_var")):
            param.set_data(mx.nd.random.uniform(0.5, 1.5, param.shape))
        elif key.endswith(("beta", "running_mean", "bias")):
            param.set_data(mx.nd.random.normal(0, 0.1, param.shape))
    return net


def same(got, wanted):
    np.testing.assert_allclose(got.asnumpy(), wanted.asnumpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "classes", "options", "count"),
    [
        ("se_cifar_resnet20", 10, {}, 304730), ("se_cifar_resnet32", 10, {}, 520666),
        ("se_cifar_resnet56", 10, {}, 952538), ("se_cifar_resnet110", 10, {}, 1924250),
        ("anas_resnet20", 10, {}, 416972), ("anas_resnet32", 10, {}, 707736), ("anas_resnet44", 10, {}, 998500),
        ("anas_resnet56", 10, {}, 1289264), ("anas_resnet110", 10, {}, 2597702),
        ("dia_cifar_resnet", 100, {}, 1946132),
        ("dia_cifar_resnet", 10, {"depth": 20}, 439226),
        ("cifar_resnet20_a", 10, {"attention": "eca"}, 269749), ("cifar_resnet56_a", 10, {"attention": "eca"}, 853099),
        ("cifar_resnet20_a", 10, {"attention": "se"}, 272095), ("cifar_resnet56_a", 10, {"attention": "se"}, 860137),
        ("cifar_resnet20_a", 10, {"attention": {"name": "triplet", "bias": True}}, 272449),
        ("cifar_resnet20_b", 10, {}, 272474),
        ("fbresnet50", 1000, {}, 25583592),
        ("dia_fbresnet50", 1000, {}, 28384612), ("dia_fbresnet50", 1000, {"scheme": FOUND["dia"]}, 28384612),
        ("se_fbresnet50", 1000, {}, 26283992),
        ("sge_fbresnet50", 1000, {"scheme": FOUND["sge"]}, 25584104),
        ("sge_fbresnet50", 1000, {"scheme": "0" * 16}, 25583592),
    ],
)  # fmt: skip
def test_sizes(name, classes, options, count):
    assert learned(get_model(name, classes, **options)) == count


def test_cost_by_parts():
    found = cost(get_model("se_cifar_resnet20", 10))
    assert [row.name for row in found.parts] == ["stem", "stage1", "stage2", "stage3", "head"]
    assert found.macs == 40812544 + 32896
    assert cost(get_model("dia_cifar_resnet", 100)).macs == 247644160 + 3896320
    assert cost(get_model("dia_fbresnet50", 1000), (3, 224, 224)).macs == 4087136256 + 12052480


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("cifar_resnet20_a", ["conv1.weight", "layer3.2.bn2.gamma", "linear.bias"]),
        ("cifar_resnet20_b", ["layer2.0.downsample.0.weight", "layer2.0.downsample.1.running_var", "fc.bias"]),
        ("fbresnet50", ["conv1.bias", "layer1.0.downsample.0.bias", "layer4.2.conv3.bias", "last_linear.weight"]),
        ("dia_fbresnet50", ["layer4.2.post.cell.w_hh.0.2.bias"]),
    ],
)  # fmt: skip
def test_names_are_pytorchs(name, names):
    assert set(names) <= set(get_model(name)._collect_params_with_prefix())


def test_option_a_has_no_weights_in_its_shortcuts():
    assert not [n for n in get_model("cifar_resnet110_a")._collect_params_with_prefix() if "downsample" in n]


def test_a_padded_shortcut_by_hand():
    x = mx.nd.random.normal(shape=(2, 4, 7, 6))
    x.attach_grad()
    with mx.autograd.record():
        y = PaddedShortcut(2)(x)
    y.backward()
    wanted = np.pad(x.asnumpy()[:, :, ::2, ::2], ((0, 0), (2, 2), (0, 0), (0, 0)))
    assert (y.asnumpy() == wanted).all()
    taken = np.zeros((7, 6))
    taken[::2, ::2] = 1
    assert (x.grad.asnumpy() == taken).all()


def stages(net):
    return [getattr(net, f"layer{i}") for i in range(1, 5) if hasattr(net, f"layer{i}")]


def test_a_network_by_hand():
    net = drawn(get_model("dia_cifar_resnet", 7, depth=20))
    x = mx.nd.random.normal(shape=(2, 3, 16, 16))
    y = net.bn1(net.conv1(x)).relu()
    for stage in stages(net):
        cell, state = stage[0].post.cell, [mx.nd.zeros((2, stage[0].post._channels))] * 2
        for block in stage:
            branch = block.bn1(block.conv1(y)).relu()
            branch = block.bn3(block.conv3(block.bn2(block.conv2(branch)).relu()))
            state = cell(branch.mean(axis=(2, 3)), *state)
            shortcut = block.downsample(y) if block.downsample else y
            y = (branch * state[0].reshape((0, 0, 1, 1)) + shortcut).relu()
    same(net(x), net.fc(y.mean(axis=(2, 3))))


def test_a_large_stem_by_hand():
    net = drawn(get_model("fbresnet50", 5, input_size=64))
    x = mx.nd.random.normal(shape=(1, 3, 64, 64))
    y = mx.nd.Pooling(net.bn1(net.conv1(x)).relu(), kernel=(3, 3), stride=(2, 2), pad=(1, 1))
    assert y.shape == (1, 64, 16, 16)
    for stage in stages(net):
        y = stage(y)
    same(net(x), net.last_linear(y.mean(axis=(2, 3))))


@pytest.mark.parametrize("scheme", [FOUND["dia"], "0" * 8 + "1" * 8])
def test_a_scheme_says_which_blocks_are_connected(scheme):
    posts = [block.post for stage in stages(get_model("dia_fbresnet50", 10, scheme=scheme)) for block in stage]
    assert "".join("0" if post is None else "1" for post in posts) == scheme
    for first, last in ((0, 3), (3, 7), (7, 13), (13, 16)):
        assert len({id(post) for post in posts[first:last] if post}) == int("1" in scheme[first:last])


def test_options_reach_the_attention():
    assert get_model("dia_fbresnet50", 10).layer1[0].post.cell.w_ih[0][0].weight.shape == (12, 256)
    assert get_model("dia_fbresnet50", 10, reduction=4).layer1[0].post.cell.w_ih[0][0].weight.shape == (64, 256)
    assert get_model("se_fbresnet50", 10, reduction=4).layer1[0].post.mlp[0].weight.shape == (64, 256, 1, 1)
    assert get_model("se_cifar_resnet20", 10, reduction=4).layer1[0].post.mlp[0].weight.shape == (4, 16, 1, 1)
    assert get_model("dia_cifar_resnet", 10, depth=20, reduction=8).layer1[0].post.cell.w_ih[0][0].weight.shape[0] == 8
    cell = get_model("anas_resnet20", genotype={"att": [["skip_connect", 0], ["none", 1]]}).layer1[0].post
    assert sum(int(np.prod(p.shape)) for p in cell.collect_params().values()) == 0
    assert [get_model("sge_fbresnet50", variant=v).layer1[0].post._unbiased for v in ("paper", "reference")] == [0, 1]
    assert type(get_model("dia_cifar_resnet", depth=14, block="basic").layer1[1].relu1).__name__ == "Activation"


class ProbePlan(Plan):
    """At every place a module that checks that what comes there is what the network said."""

    def __init__(self):
        super().__init__()
        self.asked, self.log = [], []

    def bind(self, blocks, slots=(), head=True):
        assert set(SLOTS) - set(slots) <= {"conv1"}
        assert not head
        return self

    def make(self, slot, stage, block, channels, spatial=None, stride=1, in_channels=None):
        if in_channels not in (None, channels):  # a probe keeps the number of maps
            return None
        self.asked.append((slot, stage, block))
        probe = Probe((channels, spatial), self.log)
        return probe if stride == 1 else strided(probe, stride)


class Probe(mx.gluon.HybridBlock):
    def __init__(self, said, log):
        super().__init__()
        self.said, self.log = said, log

    def forward(self, x):
        self.log.append((self.said, x.shape[1:3]))
        return x


@pytest.mark.parametrize(("name", "blocks", "inside"), [("cifar_resnet20_a", 9, 1), ("fbresnet50", 16, 2)])
@pytest.mark.parametrize("size", [64, 75])
def test_every_place_is_told_its_channels_and_height(name, blocks, inside, size):
    plan = ProbePlan()
    net = get_model(name, 10, plan=plan, input_size=size)
    net.initialize()
    net(mx.nd.ones((1, 3, size, 40)))
    assert len(plan.log) == len(plan.asked)
    assert [entry for entry in plan.log if entry[0] != entry[1]] == []
    counts = {slot: sum(asked[0] == slot for asked in plan.asked) for slot in SLOTS}
    wanted = {
        "post": blocks,
        "inner": blocks,
        "act": blocks * inside,
        "conv": blocks,
        "conv1": 7 if blocks == 9 else 0,
        "stage": 3 + (blocks == 16),
    }
    assert counts == wanted


@pytest.mark.parametrize("name", ["cifar_resnet20_a", "dia_cifar_resnet"])
def test_last_gamma_starts_each_block_as_its_shortcut(name):
    options = {"depth": 20} if "dia" in name else {}
    plain, net = get_model(name, 10, **options), get_model(name, 10, last_gamma=True, **options)
    plain.initialize(mx.init.Xavier())
    net.initialize(mx.init.Xavier())
    last = [getattr(block, block._order[-1]) for stage in stages(net) for block in stage if isinstance(block, Block)]
    assert {norm.gamma.data().asnumpy().max() for norm in last} == {0}
    gammas = [p.data().asnumpy().max() for n, p in net.collect_params().items() if n.endswith("gamma")]
    assert gammas.count(0) == len(last)
    assert {p.data().asnumpy().max() for n, p in plain.collect_params().items() if n.endswith("gamma")} == {1}
    x = mx.nd.random.uniform(shape=(2, 16, 8, 8))
    block = net.layer2[0] if name == "cifar_resnet20_a" else net.layer1[0]
    shortcut = block.downsample(x).relu()
    out = block(x)
    assert ((out[0] if isinstance(out, tuple) else out) == shortcut).asnumpy().all()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cifar_resnet20_a", {"attention": "cbam"}),
        ("cifar_resnet20_b", {"attention": "cha_atac"}),
        ("se_cifar_resnet20", {}),
        ("dia_cifar_resnet", {"depth": 20}),
        ("cifar_resnet20_a", {"attention": "seq_atac"}),
        ("anas_resnet20", {}),
    ],
)
def test_imperative_is_hybrid_is_symbol_and_every_weight_learns(name, options, tmp_path):
    net, x = drawn(get_model(name, 10, **options)), mx.nd.random.normal(shape=(3, 3, 16, 16))
    wanted = net(x).asnumpy()
    for param in net.collect_params().values():
        if param.grad_req != "null":
            param.grad()[:] = np.nan
    net.hybridize(static_alloc=True, static_shape=True)
    np.testing.assert_allclose(net(x).asnumpy(), wanted, rtol=1e-4, atol=1e-5)
    with mx.autograd.record():
        loss = (net(x) ** 2).sum()
    loss.backward()
    grads = {n: p.grad().asnumpy() for n, p in net.collect_params().items() if p.grad_req != "null"}
    assert [n for n, grad in grads.items() if not np.isfinite(grad).all() or not grad.any()] == []
    wanted = net(x).asnumpy()
    net.export(str(tmp_path / "net"))
    files = [str(tmp_path / f"net-{end}") for end in ("symbol.json", "0000.params")]
    loaded = mx.gluon.SymbolBlock.imports(files[0], ["data"], files[1])
    np.testing.assert_allclose(loaded(x).asnumpy(), wanted, rtol=1e-4, atol=1e-5)


def test_ean_networks_save_and_load(tmp_path):
    net = drawn(get_model("dia_fbresnet50", 3, scheme=FOUND["dia"], input_size=32))
    gluon_attn.save_params(net, tmp_path / "net.params")
    again = get_model("dia_fbresnet50", 3, pretrained=tmp_path / "net.params", scheme=FOUND["dia"])
    x = mx.nd.random.normal(shape=(1, 3, 64, 64))
    assert (again(x).asnumpy() == net(x).asnumpy()).all()
    net.hybridize()
    np.testing.assert_allclose(net(x).asnumpy(), again(x).asnumpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("dia_fbresnet50", {"scheme": "111"}, "dia: the scheme has 3 bits, the network 16 blocks"),
        ("dia_fbresnet50", {"scheme": "2" * 16}, "must be zeros and ones"),
        ("dia_fbresnet50", {"attention": "se"}, "model 'dia_fbresnet50' has its attention in its name"),
        ("dia_fbresnet50", {"reduction": 0}, "reduction must be a whole number above 0, got 0"),
        ("sge_fbresnet50", {"variant": "code"}, "variant must be paper or reference, got 'code'"),
        ("fbresnet50", {"input_size": 0}, "input_size must be a whole number above 0, got 0"),
        ("fbresnet50", {"last_gamma": 1}, "last_gamma must be true or false, got 1"),
        ("fbresnet50", {"scheme": "1" * 16}, "model 'fbresnet50' has no option 'scheme'"),
        ("dia_cifar_resnet", {"depth": 58}, "depth of bottleneck blocks must be 9 n + 2, such as 29, got 58"),
        ("dia_cifar_resnet", {"depth": 2}, "depth of bottleneck blocks must be 9 n + 2, such as 29, got 2"),
        ("dia_cifar_resnet", {"depth": 29, "block": "basic"}, "depth of basic blocks must be 6 n + 2, such as 20"),
        ("dia_cifar_resnet", {"block": "wide"}, "block must be basic or bottleneck, got 'wide'"),
    ],
)
def test_refused(name, options, words):
    with pytest.raises(UserError) as caught:
        get_model(name, 10, **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
