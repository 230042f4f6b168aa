"""The ImageNet ResNets: values against GluonCV's, sizes against formulas, and what each slot and option does."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import HybridBlock, nn

from gluon_attn import Plan, get_model, load_params
from gluon_attn.models.plan import SLOTS
from gluon_attn.models.resnet.resnet import Block
from gluon_attn.nn.layers import strided
from gluon_attn.utils.errors import UserError

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def learned(net):
    return sum(int(np.prod(p.shape)) for p in net.collect_params().values() if p.grad_req != "null")


def stages(net):
    return [getattr(net, f"layer{i}") for i in (1, 2, 3, 4)]


def blocks_of(net):
    return [block for stage in stages(net) for block in stage if isinstance(block, Block)]


def started(name="resnet18_v1b", classes=10, **options):
    net = get_model(name, classes, **options)
    net.initialize(mx.init.Xavier())
    return net


def expected(depth, version, classes):
    """Weights of a network, counted by hand."""
    deep, wide = version == "d", 1 if depth < 50 else 4
    stem = 3 * 32 * 9 + 32 * 32 * 9 + 32 * 64 * 9 + 2 * 2 * 32 if deep else 3 * 64 * 49
    total, width = stem + 2 * 64, 64
    for stage, count in enumerate(BLOCKS[depth]):
        inner = 64 * 2**stage
        for block in range(count):
            out = inner * wide
            if wide == 1:
                total += width * inner * 9 + inner * inner * 9 + 4 * inner
            else:
                total += width * inner + inner * inner * 9 + inner * out + 4 * inner + 2 * out
            if block == 0 and (stage or width != out):
                total += width * out + 2 * out
            width = out
    return total + width * classes + classes


@pytest.mark.parametrize("version", ["b", "d"])
@pytest.mark.parametrize("depth", BLOCKS)
def test_sizes_by_formula(depth, version):
    assert learned(get_model(f"resnet{depth}_v1{version}", 100)) == expected(depth, version, 100)


def theirs_of(depth, version):
    """GluonCV's own network; it has no names for small ones of version 1d."""
    module = pytest.importorskip("gluoncv.model_zoo.resnetv1b", reason="GluonCV is not installed")
    kind = module.BasicBlockV1b if depth < 50 else module.BottleneckV1b
    options = {"deep_stem": True, "avg_down": True} if version == "d" else {}
    return module.ResNetV1b(kind, list(BLOCKS[depth]), classes=10, **options)


@pytest.mark.parametrize(("depth", "version"), [(18, "b"), (50, "b"), (18, "d"), (50, "d")])
def test_gluoncvs_files_load_and_give_gluoncvs_outputs(depth, version, tmp_path):
    theirs = theirs_of(depth, version)
    theirs.initialize(mx.init.Xavier())
    x = mx.nd.random.normal(shape=(2, 3, 45, 64))
    with mx.autograd.record():  # one step of statistics, so that they differ from where they start
        loss = theirs(x).sum()
    loss.backward()
    theirs.save_parameters(str(tmp_path / "theirs.params"))
    ours = get_model(f"resnet{depth}_v1{version}", 10)
    load_params(ours, tmp_path / "theirs.params")
    wanted = theirs(x).asnumpy()
    np.testing.assert_allclose(ours(x).asnumpy(), wanted, rtol=0, atol=1e-6 * abs(wanted).max())


def test_names_are_torchvisions_but_for_the_norms():
    names = set(get_model("resnet50_v1b")._collect_params_with_prefix())
    assert {"conv1.weight", "bn1.gamma", "bn1.running_var", "fc.weight", "fc.bias"} <= names
    assert {"layer1.0.conv3.weight", "layer4.2.bn3.beta", "layer2.0.downsample.0.weight"} <= names
    assert "layer2.0.downsample.1.running_mean" in names
    assert not any("downsample" in name for name in names if name.startswith("layer2.1."))


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
        assert not head
        return self

    def make(self, slot, stage, block, channels, spatial=None, stride=1, in_channels=None):
        if in_channels not in (None, channels):  # a probe keeps the number of maps
            return None
        self.asked.append((slot, stage, block))
        probe = Probe(channels, spatial, self.log)
        return probe if stride == 1 else strided(probe, stride)


@pytest.mark.parametrize("size", [64, 75])
@pytest.mark.parametrize("name", ["resnet18_v1b", "resnet50_v1b", "resnet50_v1d"])
def test_every_place_is_told_its_channels_and_height(name, size):
    plan = ProbePlan()
    net = get_model(name, 10, plan=plan, input_size=size)
    net.initialize()
    net(mx.nd.ones((1, 3, size, 40)))
    assert len(plan.log) == len(plan.asked)
    assert [entry for entry in plan.log if entry[0] != entry[1]] == []
    blocks, inside = (8, 1) if "18" in name else (16, 2)
    counts = {slot: sum(asked[0] == slot for asked in plan.asked) for slot in SLOTS}
    wanted = {
        "post": blocks,
        "inner": blocks,
        "act": blocks * inside,
        "conv": blocks,
        "conv1": 5 if "18" in name else 0,
        "stage": 4,
    }
    assert counts == wanted
    assert [asked[1:] for asked in plan.asked if asked[0] == "stage"] == [(stage, None) for stage in (1, 2, 3, 4)]


@pytest.mark.parametrize("name", ["resnet18_v1b", "resnet50_v1b", "resnet50_v1d"])
def test_a_block_by_hand(name):
    """Attention before the addition; the ReLU after it stays, whatever the activation inside."""
    net = started(name, plan=Plan([{"name": "eca"}, {"slot": "act", "name": "elu"}]))
    block = net.layer2[0]
    x = mx.nd.random.normal(shape=(2, 64 if "18" in name else 256, 9, 8))
    y = block.relu1(block.bn1(block.conv1(x)))
    y = block.bn2(block.conv2(y))
    if "50" in name:
        y = block.bn3(block.conv3(block.relu2(y)))
    wanted = (block.downsample(x) + block.post(y)).relu()
    assert (block(x).asnumpy() == wanted.asnumpy()).all()
    assert block(x).shape == (2, 128 if "18" in name else 512, 5, 4)
    assert isinstance(block.relu1, nn.ELU)
    assert len(block.downsample) == (3 if name.endswith("d") else 2)


@pytest.mark.parametrize("name", ["resnet18_v1b", "resnet50_v1d"])
def test_last_gamma_starts_each_block_as_its_shortcut(name):
    net = started(name, last_gamma=True)
    for block in blocks_of(net)[::3]:
        first = block.downsample[1 if name.endswith("d") else 0] if block.downsample else block.conv1
        x = mx.nd.random.normal(shape=(1, first._in_channels, 4, 4))
        shortcut = block.downsample(x) if block.downsample else x
        assert (block(x).asnumpy() == np.maximum(shortcut.asnumpy(), 0)).all()
    block, x = started(name).layer1[1], mx.nd.random.normal(shape=(1, 64 if "18" in name else 256, 4, 4))
    assert np.abs((block(x) - x.relu()).asnumpy()).max() > 0.01


def test_drop_rate_is_before_the_dense_layer_and_acts_in_training_only():
    net, x = started(drop_rate=0.5), mx.nd.random.normal(shape=(2, 3, 32, 32))
    assert repr(net).count("Dropout(") == 1
    assert repr(get_model("resnet18_v1b")).count("Dropout(") == 0
    with mx.autograd.record(train_mode=False):
        assert (net(x).asnumpy() == net(x).asnumpy()).all()
    seen = []
    net.drop.register_forward_hook(lambda block, inputs, output: seen.append((inputs[0].shape, output)))
    with mx.autograd.record():
        net(x)
    assert seen[0][0] == (2, 512)
    assert 0.2 < (seen[0][1] == 0).mean().asscalar() < 0.8


def test_the_stem_of_version_d_has_a_width():
    net = get_model("resnet18_v1d", 10, stem_width=16)
    assert [layer.weight.shape for layer in (net.conv1[0], net.conv1[3], net.conv1[6])] == [
        (16, 3, 3, 3), (16, 16, 3, 3), (32, 16, 3, 3),
    ]  # fmt: skip
    assert net.layer1[0].downsample[1].weight.shape == (64, 32, 1, 1)
    net.initialize()
    assert net(mx.nd.ones((1, 3, 32, 32))).shape == (1, 10)


def test_a_stage_slot_follows_the_stage():
    net = get_model("resnet18_v1b", 10, plan=Plan([{"slot": "stage", "name": "cbam", "stages": [1, 2]}]))
    kinds = [type(stage[len(stage) - 1]).__name__ for stage in stages(net)]
    assert kinds == ["CBAM", "CBAM", "Block", "Block"]


def test_bam_stands_between_stages():
    for name, wanted in (("resnet18_v1b", [1, 2, 3]), ("cifar_resnet20_v1", [1, 2]), ("mobilenet_v2", [*range(1, 7)])):
        (entry,) = get_model(name, 10, attention="bam").recipe["plan"]["entries"]
        assert (entry["slot"], entry["stages"]) == ("stage", wanted)
    assert "BAM" not in repr(get_model("resnet18_v1b", 10, attention="bam").layer4)


@pytest.mark.parametrize("name", ["resnet18_v1b", "resnet50_v1d", "cifar_resnet18"])
def test_imperative_is_hybrid_and_every_weight_learns(name):
    net, x = started(name, attention="se"), mx.nd.random.normal(shape=(3, 3, 40, 32))
    wanted = net(x).asnumpy()
    for param in net.collect_params().values():
        if param.grad_req != "null":
            param.grad()[:] = np.nan
    net.hybridize(static_alloc=True, static_shape=True)
    np.testing.assert_allclose(net(x).asnumpy(), wanted, rtol=1e-3, atol=1e-4 * abs(wanted).max())
    with mx.autograd.record():
        loss = (net(x) ** 2).mean()
    loss.backward()
    grads = {n: p.grad().asnumpy() for n, p in net.collect_params().items() if p.grad_req != "null"}
    assert [n for n, grad in grads.items() if not np.isfinite(grad).all()] == []


def test_the_cifar_network_is_the_large_one_at_32_pixels():
    """As the ECA reproduction trains it: the 7x7 stem and its pooling stay."""
    small, large = get_model("cifar_resnet18", 10), get_model("resnet18_v1b", 10)
    assert repr(small) == repr(large)
    small.initialize()
    assert small.layer4(small.layer3(mx.nd.ones((1, 128, 4, 4)))).shape == (1, 512, 1, 1)


@pytest.mark.parametrize(
    ("options", "attentional"),
    [
        ({}, "..AA"),
        ({"act_layers": 4}, "AAAA"),
        ({"act_layers": 1}, "...A"),
        ({"act_layers": 1, "act_order": "pre"}, "A..."),
        ({"act_layers": 0}, "...."),
    ],
)
def test_atac_stages(options, attentional):
    """relu1 and relu2 of a bottleneck."""
    net = get_model("atac_resnet50_v1b", 10, **options)
    for stage, letter in zip(stages(net), attentional, strict=True):
        kinds = {type(act).__name__ for block in stage for act in (block.relu1, block.relu2)}
        assert kinds == {"ChaATAC" if letter == "A" else "Activation"}


def test_atac_options():
    block = get_model("atac_resnet50_v1b", 10, reduction=4, relu=False, global_pool=True).layer4[0]
    assert block.relu1.mlp[0].weight.shape == (128, 512, 1, 1)
    assert (len(block.relu1.mlp), block.relu1._global_pool) == (4, True)
    block = get_model("atac_resnet50_v1b", 10, act_type="prelu", last_gamma=True, drop_rate=0.1).layer4[0]
    assert isinstance(block.relu2, nn.PReLU)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("resnet18_v1b", {"input_size": 0}, "input_size must be a whole number above 0, got 0"),
        ("resnet18_v1b", {"drop_rate": 1}, "drop_rate must be from 0 to below 1, got 1"),
        ("resnet18_v1b", {"last_gamma": "yes"}, "last_gamma must be true or false, got 'yes'"),
        ("resnet18_v1d", {"stem_width": 0}, "stem_width must be a whole number above 0, got 0"),
        ("resnet18_v1d", {"stem": "tiered", "stem_width": 3}, "a tiered stem needs a stem_width of 4 or more, got 3"),
        ("resnet18_v1b", {"stem": "round"}, "stem must be large or deep or tiered or small, got 'round'"),
        ("resnet18_v1b", {"stem_pool": False}, "stem_pool can be off in a deep or tiered stem only"),
        ("resnet18_v1b", {"blocks": 3}, "blocks must list 4 whole numbers, one per stage, got 3"),
        ("resnet18_v1b", {"blocks": [1, 1, 1, 0]}, "blocks must be a whole number above 0, got 0"),
        ("resnet18_v1b", {"widths": [8, 8, 8]}, "widths must list 4 whole numbers, one per stage, got [8, 8, 8]"),
        ("resnet18_v1b", {"activation": "swich"}, "unknown activation 'swich'"),
        ("resnet18_v1b", {"final_width": 0}, "final_width must be a whole number above 0, got 0"),
        ("resnet50_v1b", {"plan": Plan([{"slot": "conv1", "name": "sk"}])}, "sk wants a 'conv1' slot; this backbone"),
        ("resnet18_v1b", {"plan": Plan([{"slot": "conv1", "name": "split"}])}, "split keeps the number of maps: it"),
        ("atac_resnet50_v1b", {"act_layers": 5}, "act_layers must be from 0 to 4 in this network, got 5"),
        ("resnet18_v1b", {"plan": Plan([{"slot": "act", "name": "elu", "stages": [5]}])}, "elu: stages [5] are not"),
    ],
)
def test_refused(name, options, words):
    with pytest.raises(UserError) as caught:
        get_model(name, 10, **options)
    assert str(caught.value).startswith(words)
