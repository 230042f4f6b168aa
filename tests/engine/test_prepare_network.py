"""Frozen parts, and when norms are synchronized; test_backend.py has two processes train as one."""

import types

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon
from mxnet.gluon import nn

from gluon_attn import get_model
from gluon_attn.engine.backend import Backend
from gluon_attn.engine.prepare_network import freeze, mark_new, synchronize_norms
from gluon_attn.nn.params import classifier
from gluon_attn.nn.sync_norm import SyncBatchNorm
from gluon_attn.utils.errors import UserError

TWO = types.SimpleNamespace(size=2, allreduce=lambda name, array: 2 * array)


def make():
    net = gluon.nn.HybridSequential()
    net.add(gluon.nn.Dense(2, in_units=3), gluon.nn.BatchNorm(in_channels=2), gluon.nn.Dense(2, in_units=2))
    net.initialize(mx.init.Normal(1.0))
    return net


def test_names_are_matched_from_their_start():
    net = make()
    assert freeze(net, "0|1.gamma|weight") == {"0.weight", "0.bias", "1.gamma"}
    found = {name for name, p in net._collect_params_with_prefix().items() if p.grad_req == "null"}
    assert found == {"0.weight", "0.bias", "1.gamma", "1.running_mean", "1.running_var"}


@pytest.mark.parametrize("model", ["cifar_resnet20_v1", "resnet18_v1b", "mobilenet_v2"])
def test_features_are_all_but_the_classifier(model):
    net = get_model(model, 3)
    freeze(net, "features")
    trained = {name for name, param in net._collect_params_with_prefix().items() if param.grad_req != "null"}
    assert trained == {*classifier(net)}
    assert len(trained) == 2


@pytest.mark.parametrize(("pattern", "still"), [("1", True), ("1.(gamma|beta)", False)])
def test_a_norm_whose_statistics_match_leaves_them_alone(pattern, still):
    net = make()
    freeze(net, pattern)
    net.hybridize()
    with mx.autograd.record():
        loss = net(mx.nd.random.normal(3.0, 1.0, shape=(8, 3))).sum()
    loss.backward()
    mx.nd.waitall()
    assert np.array_equal(net[1].running_mean.data().asnumpy(), [0, 0]) == still


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("9", "matches no parameter; names are such as 0.weight"),
        (".*", "every parameter"),
        ("(", "no regular expression"),
    ],
)
def test_patterns_without_sense(pattern, complaint):
    with pytest.raises(UserError, match=complaint):
        freeze(make(), pattern)


def test_one_process_needs_none_of_it(caplog):
    norm = nn.BatchNorm(in_channels=2)
    with caplog.at_level("INFO"):
        synchronize_norms(norm, [mx.cpu()], Backend())
    assert type(norm) is nn.BatchNorm
    assert "sync_bn: there is one process" in caplog.text


def test_norms_of_several_processes():
    net = nn.HybridSequential()
    net.add(nn.Dense(2))
    with pytest.raises(UserError, match="option sync_bn: the network has no batch norm that is trained"):
        synchronize_norms(net, [mx.cpu()], TWO)
    net.add(nn.BatchNorm())
    synchronize_norms(net, [mx.cpu()], TWO)
    assert isinstance(net[1], SyncBatchNorm)


def test_several_devices_of_a_process_are_refused():
    with pytest.raises(UserError, match="here one has 2 devices: start one process per device, with horovodrun"):
        synchronize_norms(nn.BatchNorm(), [mx.cpu(0), mx.cpu(1)], Backend())


@pytest.mark.parametrize("pattern", ["features", "layer1"])
def test_what_starts_anew_is_not_frozen(pattern, caplog):
    net = get_model("cifar_resnet20_b", attention="se")
    new = {name for name in net._collect_params_with_prefix() if ".post." in name}
    mark_new(net, new)
    with caplog.at_level("INFO", logger="gluon_attn"):
        found = freeze(net, pattern)
    assert not found & new
    assert {"layer1.0.conv1.weight", "layer1.0.bn1.running_mean"} < found
    assert "freeze: layer1.0.post.mlp.0.weight" in caplog.text
    assert "start anew and are trained all the same" in caplog.text
