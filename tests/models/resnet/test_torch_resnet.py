"""ResNets with PyTorch's parameter names: networks and layers by hand, GluonCV's files, costs, what is refused."""

import mxnet as mx
import numpy as np
import pytest
from model_checks import initialized, randomized, stages_of

import gluon_attn
from gluon_attn import Plan, get_model, load_params
from gluon_attn.analyze.cost import cost
from gluon_attn.convert import load_reference, read_weights
from gluon_attn.utils.errors import UserError
from gluon_attn.utils.optional import without_torch

BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}
DIA = "1100011110010011"


def same(got, wanted):
    np.testing.assert_allclose(got.asnumpy(), wanted.asnumpy(), rtol=1e-5, atol=1e-6)


def test_a_network_by_hand():
    net = randomized(get_model("dia_cifar_resnet", 7, depth=20))
    x = mx.nd.random.normal(shape=(2, 3, 16, 16))
    y = net.bn1(net.conv1(x)).relu()
    for stage in stages_of(net):
        cell, state = stage[0].post.cell, [mx.nd.zeros((2, stage[0].post._channels))] * 2
        for block in stage:
            branch = block.bn1(block.conv1(y)).relu()
            branch = block.bn3(block.conv3(block.bn2(block.conv2(branch)).relu()))
            state = cell(branch.mean(axis=(2, 3)), *state)
            shortcut = block.downsample(y) if block.downsample else y
            y = (branch * state[0].reshape((0, 0, 1, 1)) + shortcut).relu()
    same(net(x), net.fc(y.mean(axis=(2, 3))))


def test_a_large_stem_by_hand():
    net = randomized(get_model("fbresnet50", 5, input_size=64))
    x = mx.nd.random.normal(shape=(1, 3, 64, 64))
    y = mx.nd.Pooling(net.bn1(net.conv1(x)).relu(), kernel=(3, 3), stride=(2, 2), pad=(1, 1))
    assert y.shape == (1, 64, 16, 16)
    for stage in stages_of(net):
        y = stage(y)
    same(net(x), net.last_linear(y.mean(axis=(2, 3))))


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


def test_drop_rate_is_before_the_dense_layer_and_acts_in_training_only():
    net, x = initialized("resnet18_v1b", drop_rate=0.5), mx.nd.random.normal(shape=(2, 3, 32, 32))
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


def test_the_activation_is_that_of_the_whole_network():
    text = repr(initialized("resnet50_v1d", activation="swish", final_width=40))
    assert "Activation(relu)" not in text
    assert text.count("Swish") == 2 + 1 + 16 * 3 + 1  # deep stem, its norm's, blocks with the last, the end
    block = initialized("resnet18_v1b", activation="elu").layer1[0]
    x = mx.nd.random.normal(shape=(2, 64, 5, 6))
    wanted = mx.nd.LeakyReLU(x + block.body(x), act_type="elu", slope=1.0)
    np.testing.assert_allclose(block(x).asnumpy(), wanted.asnumpy(), rtol=1e-5, atol=1e-6)


def test_widths_blocks_and_what_stands_behind_the_stages():
    net = initialized("resnet50_v1b", blocks=[1, 2, 1, 1], widths=[8, 16, 16, 24], final_width=20, stem_width=32)
    assert [len(getattr(net, f"layer{i}")) for i in (1, 2, 3, 4)] == [1, 2, 1, 1]
    assert [getattr(net, f"layer{i}")[0].conv3.weight.shape[0] for i in (1, 2, 3, 4)] == [32, 64, 64, 96]
    assert (net.conv1.weight.shape[0], net.final[0].weight.shape) == (32, (20, 96, 1, 1))
    assert net.fc.weight.shape == (10, 20)
    assert net(mx.nd.ones((1, 3, 64, 64))).shape == (1, 10)


def test_cost_by_parts():
    found = cost(get_model("se_cifar_resnet20", 10))
    assert [row.name for row in found.parts] == ["stem", "stage1", "stage2", "stage3", "head"]
    assert found.macs == 40812544 + 32896
    assert cost(get_model("dia_cifar_resnet", 100)).macs == 247644160 + 3896320
    assert cost(get_model("dia_fbresnet50", 1000), (3, 224, 224)).macs == 4087136256 + 12052480


def test_ean_networks_save_and_load(tmp_path):
    net = randomized(get_model("dia_fbresnet50", 3, scheme=DIA, input_size=32))
    gluon_attn.save_params(net, tmp_path / "net.params")
    again = get_model("dia_fbresnet50", 3, pretrained=tmp_path / "net.params", scheme=DIA)
    x = mx.nd.random.normal(shape=(1, 3, 64, 64))
    assert (again(x).asnumpy() == net(x).asnumpy()).all()
    net.hybridize()
    np.testing.assert_allclose(net(x).asnumpy(), again(x).asnumpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("resnet18_v1b", {"input_size": 0}, "input_size must be a whole number above 0, got 0"),
        ("resnet18_v1b", {"drop_rate": 1}, "drop_rate must be from 0 to below 1, got 1"),
        ("resnet18_v1b", {"last_gamma": "yes"}, "last_gamma must be true or false, got 'yes'"),
        ("resnet18_v1b", {"blocks": 3}, "blocks must list 4 whole numbers, one per stage, got 3"),
        ("resnet18_v1b", {"blocks": [1, 1, 1, 0]}, "blocks must be a whole number above 0, got 0"),
        ("resnet18_v1b", {"widths": [8, 8, 8]}, "widths must list 4 whole numbers, one per stage, got [8, 8, 8]"),
        ("resnet18_v1b", {"activation": "swich"}, "unknown activation 'swich'"),
        ("resnet18_v1b", {"final_width": 0}, "final_width must be a whole number above 0, got 0"),
        ("resnet50_v1b", {"plan": Plan([{"slot": "conv1", "name": "sk"}])}, "sk needs a 'conv1' slot; this backbone"),
        (
            "resnet18_v1b",
            {"plan": Plan([{"slot": "conv1", "name": "split"}])},
            "split keeps the number of channels: it",
        ),
        ("resnet18_v1b", {"plan": Plan([{"slot": "act", "name": "elu", "stages": [5]}])}, "elu: stages [5] are not"),
    ],
)
def test_refused(name, options, words):
    with pytest.raises(UserError) as caught:
        get_model(name, 10, **options)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("name", "layers", "theirs", "ours"),
    [
        ("resnet18_v1b", [1, 1, 2, 2], {"dilated": True}, {"dilated": True}),
        (
            "resnet50_v1b", [1, 1, 2, 2], {"dilated": True, "deep_stem": True, "stem_width": 16, "avg_down": True},
            {"dilated": True, "stem": "deep", "stem_width": 16, "avg_down": True},
        ),
        ("resnet50_v1d", [1, 1, 1, 1], {"deep_stem": True}, {"avg_down": False}),
    ],
)  # fmt: skip
def test_options_of_gluoncvs_version_1b(name, layers, theirs, ours, tmp_path):
    with without_torch():
        from gluoncv.model_zoo import resnetv1b

    block = resnetv1b.BottleneckV1b if "50" in name else resnetv1b.BasicBlockV1b
    reference = resnetv1b.ResNetV1b(block, layers, classes=5, name_prefix="resnetv1b_", **theirs)
    reference.initialize(mx.init.MSRAPrelu())
    x = mx.nd.random.normal(shape=(2, 3, 64, 64))
    wanted = reference(x).asnumpy()
    reference.save_parameters(str(tmp_path / "net.params"))
    net = get_model(name, 5, blocks=layers, **ours)
    load_reference(net, read_weights(tmp_path / "net.params").tensors, "gluoncv")
    assert (net(x).asnumpy() == wanted).all()
    if ours.get("dilated"):
        assert net.layer4(net.layer3(net.layer2(mx.nd.ones((1, block.expansion * 64, 16, 16))))).shape[2:] == (8, 8)
