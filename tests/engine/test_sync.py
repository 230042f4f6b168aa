"""When norms are synchronized; test_backend.py has two processes train as one."""

import types

import mxnet as mx
import pytest
from mxnet.gluon import nn

from gluon_attn.engine.backend import Backend
from gluon_attn.engine.sync import synchronize_norms
from gluon_attn.nn.sync_norm import SyncBatchNorm
from gluon_attn.utils.errors import UserError

TWO = types.SimpleNamespace(size=2, combined=lambda name, array: 2 * array)


def test_one_process_needs_none_of_it(caplog):
    norm = nn.BatchNorm(in_channels=2)
    with caplog.at_level("INFO"):
        synchronize_norms(norm, [mx.cpu()], Backend())
    assert type(norm) is nn.BatchNorm
    assert "--sync-bn: there is one process" in caplog.text


def test_norms_of_several_processes():
    net = nn.HybridSequential()
    net.add(nn.Dense(2))
    with pytest.raises(UserError, match="--sync-bn: the network has no batch norm that is trained"):
        synchronize_norms(net, [mx.cpu()], TWO)
    net.add(nn.BatchNorm())
    synchronize_norms(net, [mx.cpu()], TWO)
    assert isinstance(net[1], SyncBatchNorm)


def test_several_devices_of_a_process_are_refused():
    with pytest.raises(UserError, match="here one has 2 devices: start one for each, with horovodrun"):
        synchronize_norms(nn.BatchNorm(), [mx.cpu(0), mx.cpu(1)], Backend())
