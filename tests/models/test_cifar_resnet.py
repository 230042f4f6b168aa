"""The CIFAR ResNets: sizes against formulas, values against GluonCV's, and what each slot and option does."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import HybridBlock, nn

from gluon_attn import Plan, get_model, load_params
from gluon_attn.models.plan import SLOTS
from gluon_attn.models.resnet.gluon_blocks import BlockV1, BlockV2
from gluon_attn.nn.layers import strided

DEPTHS = {20: 3, 32: 5, 44: 7, 56: 9, 110: 18, 164: 18}


def learned(net):
    return sum(int(np.prod(p.shape)) for p in net.collect_params().values() if p.grad_req != "null")


def norm(channels):
    return 2 * channels


def se(channels):
    hidden = max(1, channels // 16)
    return channels * hidden + hidden + hidden * channels + channels


def eca(channels):
    return {16: 3, 32: 3, 64: 3, 128: 5, 256: 5}[channels]


def cbam(channels):
    return se(channels) + 2 * 7 * 7 + norm(1)


def cha_atac(channels):
    hidden = channels // 2
    return 2 * channels * hidden + norm(hidden) + norm(channels)


def none(channels):
    return 0


def expected(depth, version, classes, post=none, act=none):
    """Weights of a network, counted by hand: `post` ends each residual branch, `act` is each activation inside."""
    wide = 4 if depth == 164 else 1
    total, width = 3 * 16 * 9 + (norm(16) if version == 1 else 0), 16
    for channels in (16 * wide, 32 * wide, 64 * wide):
        for block in range(DEPTHS[depth]):
            inner = channels // wide
            convolutions = [(width, inner, 1), (inner, inner, 9), (inner, channels, 1)]
            if wide == 1:
                convolutions = [(width, channels, 9), (channels, channels, 9)]
            for i, (before, after, taps) in enumerate(convolutions):
                total += before * after * taps + norm(after if version == 1 else before)
                if version == 2:
                    total += act(before)
                elif i < len(convolutions) - 1:
                    total += act(after)
            if block == 0 and (width != channels or channels > 16 * wide):
                total += width * channels + (norm(channels) if version == 1 else 0)
            total += post(channels)
            width = channels
    if version == 2:
        total += norm(width) + act(width)
    return total + width * classes + classes


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("cifar_resnet20_v1", 272474), ("cifar_resnet56_v1", 855770), ("cifar_resnet110_v1", 1730714),
        ("cifar_resnet164_v1", 1704154), ("cifar_resnet164_v2", 1703258),
    ],
)  # fmt: skip
def test_published_sizes(name, count):
    assert learned(get_model(name, 10)) == count


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("depth", DEPTHS)
def test_sizes_by_formula(depth, version):
    assert learned(get_model(f"cifar_resnet{depth}_v{version}", 100)) == expected(depth, version, 100)


@pytest.mark.parametrize("name", ["cifar_resnet20_v1", "cifar_resnet20_v2", "cifar_resnet164_v1", "cifar_resnet164_v2"])
@pytest.mark.parametrize(
    ("attention", "slots"),
    [("se", {"post": se}), ("eca", {"post": eca}), ("cbam", {"post": cbam}), ("cha_atac", {"act": cha_atac})],
)
def test_sizes_with_attention(name, attention, slots):
    depth, version = int(name[12:-3]), int(name[-1])
    assert learned(get_model(name, 10, attention=attention)) == expected(depth, version, 10, **slots)


@pytest.mark.parametrize(("blocks", "count"), [(1, 95428), (2, 204068), (3, 312708), (4, 421348), (5, 529988)])
def test_sizes_of_the_atac_networks(blocks, count):
    assert learned(get_model("atac", 100, blocks=blocks, reduction=2)) == count


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("depth", [20, 56, 110])
def test_gluoncvs_files_load_and_give_gluoncvs_outputs(depth, version, tmp_path):
    zoo = pytest.importorskip("gluoncv.model_zoo", reason="GluonCV is not installed")
    theirs = zoo.get_model(f"cifar_resnet{depth}_v{version}", classes=10)
    theirs.initialize(mx.init.Xavier())
    x = mx.nd.random.normal(shape=(2, 3, 32, 32))
    with mx.autograd.record():  # one step of statistics, so that they differ from where they start
        loss = theirs(x).sum()
    loss.backward()
    theirs.save_parameters(str(tmp_path / "theirs.params"))
    ours = get_model(f"cifar_resnet{depth}_v{version}", 10)
    load_params(ours, tmp_path / "theirs.params")
    expected = theirs(x).asnumpy()
    # equal to the bit up to the last pooling, which adds 64 numbers in another order
    np.testing.assert_allclose(ours(x).asnumpy(), expected, rtol=0, atol=1e-6 * abs(expected).max())


def activations(net):
    """The kinds of activation in each stage and in the head, as sets of class names."""
    found = []
    for stage in list(net.features)[2:5]:
        blocks = [[block.act1, block.act2] for block in stage]
        found.append({type(act).__name__ for acts in blocks for act in acts})
    return [*found, {type(net.features[6]).__name__}]


@pytest.mark.parametrize(
    ("options", "places"),
    [
        ({}, "AAAA"),
        ({"act_layers": 0}, "rrrr"),
        ({"act_layers": 1}, "rrrA"),
        ({"act_layers": 2}, "rrAA"),
        ({"act_layers": 3, "act_order": "bac"}, "rAAA"),
        ({"act_layers": 4, "act_order": "pre"}, "AAAA"),
        ({"act_layers": 1, "act_order": "pre"}, "Arrr"),
        ({"act_layers": 2, "act_order": "pre"}, "AArr"),
    ],
)
def test_act_layers_and_act_order(options, places):
    kinds = {"A": {"ChaATAC"}, "r": {"Activation"}}
    assert activations(get_model("atac", 10, blocks=2, **options)) == [kinds[letter] for letter in places]


def test_other_activations_in_the_atac_network():
    assert activations(get_model("atac", 10, act_type="prelu", act_layers=2))[1:3] == [{"Activation"}, {"PReLU"}]


class Probe(HybridBlock):
    """Stands at a place and checks that what comes there is what the network said."""

    def __init__(self, channels, spatial, log):
        super().__init__()
        self.said, self.log = (channels, spatial), log

    def forward(self, x):
        self.log.append((self.said, x.shape[1:3]))
        return x


class ProbePlan(Plan):
    """A probe at every place."""

    def __init__(self):
        super().__init__()
        self.asked, self.log = [], []

    def bind(self, blocks, slots=(), head=True):
        return self

    def make(self, slot, stage, block, channels, spatial=None, stride=1, in_channels=None):
        if in_channels not in (None, channels):  # a probe keeps the number of maps
            return None
        self.asked.append((slot, stage, block))
        probe = Probe(channels, spatial, self.log)
        return probe if stride == 1 else strided(probe, stride)


@pytest.mark.parametrize("size", [32, 35])
@pytest.mark.parametrize("name", ["cifar_resnet20_v1", "cifar_resnet20_v2", "cifar_resnet164_v1", "cifar_resnet164_v2"])
def test_every_place_is_told_its_channels_and_height(name, size):
    plan = ProbePlan()
    net = get_model(name, 10, plan=plan, input_size=size)
    net.initialize()
    net(mx.nd.ones((1, 3, size, 8)))
    assert len(plan.log) == len(plan.asked)
    assert [entry for entry in plan.log if entry[0] != entry[1]] == []
    per_block = {"20_v1": 1, "20_v2": 2, "164_v1": 2, "164_v2": 3}[name[12:]]
    blocks = 9 if "20" in name else 54
    counts = {slot: sum(asked[0] == slot for asked in plan.asked) for slot in SLOTS}
    wanted = {
        "post": blocks,
        "inner": blocks,
        "act": blocks * per_block + (name[-1] == "2"),
        "conv": blocks,
        "conv1": 7 if "20" in name else 0,
        "stage": 3,
    }
    assert counts == wanted
    assert [asked[1:] for asked in plan.asked if asked[0] == "stage"] == [(1, None), (2, None), (3, None)]


@pytest.mark.parametrize("name", ["cifar_resnet20_v1", "cifar_resnet20_v2", "atac"])
def test_dropout_acts_in_training_only(name):
    net = get_model(name, 10, drop_rate=0.5)
    net.initialize(mx.init.Xavier())
    x = mx.nd.random.normal(shape=(4, 3, 8, 8))

    def outputs(train):
        with mx.autograd.record(train_mode=train):
            return net(x).asnumpy()

    assert (outputs(False) == outputs(False)).all()
    assert np.abs(outputs(True) - outputs(True)).max() > 1e-3
    plain = get_model(name, 10)
    plain.initialize()
    for own, other in zip(plain.collect_params().values(), net.collect_params().values(), strict=True):
        own.set_data(other.data())
    assert (plain(x).asnumpy() == net(x).asnumpy()).all()


def test_one_dropout_a_block():
    for name in ("cifar_resnet20_v1", "cifar_resnet20_v2", "cifar_resnet164_v1", "cifar_resnet164_v2"):
        assert repr(get_model(name, drop_rate=0.1)).count("Dropout(") == (9 if "20" in name else 54)
        assert "Dropout" not in repr(get_model(name))


def blocks_of(net, kind):
    return [block for stage in list(net.features)[2:5] for block in stage if isinstance(block, kind)]


@pytest.mark.parametrize("attention", [None, "se", "cbam", "cha_atac"])
@pytest.mark.parametrize("depth", [20, 164])
def test_last_gamma_starts_each_block_as_its_shortcut(depth, attention):
    net = get_model(f"cifar_resnet{depth}_v1", 10, attention=attention, last_gamma=True)
    net.initialize(mx.init.Xavier())
    blocks = blocks_of(net, BlockV1)
    assert len(blocks) == 3 * DEPTHS[depth]
    for block in blocks[:: 3 if depth == 20 else 9]:
        first = block.downsample or block.body
        x = mx.nd.random.normal(shape=(2, first[0]._in_channels, 8, 8))
        shortcut = block.downsample(x) if block.downsample else x
        assert (block(x).asnumpy() == np.maximum(shortcut.asnumpy(), 0)).all()
        norms = [layer for layer in block.body if isinstance(layer, nn.BatchNorm)]
        assert [norm.gamma.data().asnumpy().max() for norm in norms] == [1] * (len(norms) - 1) + [0]


def test_without_last_gamma_blocks_do_something():
    net = get_model("cifar_resnet20_v1", 10)
    net.initialize(mx.init.Xavier())
    x = mx.nd.random.normal(shape=(2, 16, 8, 8))
    assert np.abs((net.features[2][0](x) - x.relu()).asnumpy()).max() > 0.1


def test_a_version_2_block_by_hand():
    """Shortcut from the raw input; norm, activation, convolution, twice; attention before the addition."""
    net = get_model("cifar_resnet20_v2", 10, plan=Plan([{"name": "eca"}, {"slot": "act", "name": "elu"}]))
    net.initialize(mx.init.Xavier())
    block = blocks_of(net, BlockV2)[3]
    x = mx.nd.random.normal(shape=(2, 16, 8, 8))
    branch = block.conv2(block.act2(block.bn2(block.conv1(block.act1(block.bn1(x))))))
    assert (block(x).asnumpy() == (block.downsample(x) + block.post(branch)).asnumpy()).all()
    assert block(x).shape == (2, 32, 4, 4)


def test_a_version_1_block_by_hand():
    """Attention before the addition; the ReLU after it stays, whatever the activation inside."""
    net = get_model("cifar_resnet20_v1", 10, plan=Plan([{"name": "eca"}, {"slot": "act", "name": "elu"}]))
    net.initialize(mx.init.Xavier())
    block = blocks_of(net, BlockV1)[3]
    x = mx.nd.random.normal(shape=(2, 16, 8, 8))
    wanted = (block.downsample(x) + block.post(block.body(x))).relu()
    assert (block(x).asnumpy() == wanted.asnumpy()).all()
    assert "ELU" in repr(block.body)


def test_a_stage_slot_follows_the_stage():
    net = get_model("cifar_resnet20_v1", 10, plan=Plan([{"slot": "stage", "name": "cbam", "stages": [1, 2]}]))
    kinds = [type(stage[len(stage) - 1]).__name__ for stage in list(net.features)[2:5]]
    assert kinds == ["CBAM", "CBAM", "BlockV1"]
    assert learned(net) == expected(20, 1, 10) + cbam(16) + cbam(32)


@pytest.mark.parametrize("name", ["cifar_resnet20_v1", "cifar_resnet20_v2", "atac"])
def test_imperative_is_hybrid_and_every_weight_learns(name):
    net = get_model(name, 10, **({} if name == "atac" else {"attention": "se"}))
    net.initialize(mx.init.Xavier())
    x = mx.nd.random.normal(shape=(3, 3, 16, 16))
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
    assert [n for n, grad in grads.items() if not np.isfinite(grad).all()] == []
