"""Optimizer states from MXNet's `Trainer.save_states`, loaded into our trainer."""

import types

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_model
from gluon_attn.checkpoint import flatten
from gluon_attn.convert.gluon_names import sorted_names
from gluon_attn.engine.mxnet_states import load_states
from gluon_attn.utils.errors import UserError
from gluon_attn.utils.optional import without_torch

MODEL = "cifar_resnet20_v1"


def updated(net, params, optimizer="sgd", **options):
    """A trainer that has made three updates."""
    trainer = mx.gluon.Trainer(params, optimizer, {"momentum": 0.9, "learning_rate": 0.01, **options})
    x = mx.nd.random.normal(shape=(2, 3, 32, 32))
    for _ in range(3):
        with mx.autograd.record():
            loss = net(x).square().mean()
        loss.backward()
        trainer.step(2)
    return trainer


def states(trainer):
    """Index of the parameter in the trainer -> its optimizer state."""
    found = trainer._updaters[0].states
    return {index: [array.asnumpy() for _, array in flatten(state)] for index, state in found.items()}


def ours(net, **options):
    params = list(net._collect_params_with_prefix().values())
    optimizer = mx.gluon.Trainer(params, "sgd", {"momentum": 0.9, **options})
    return types.SimpleNamespace(net=net, gluon_trainer=optimizer)


@pytest.fixture
def written(tmp_path):
    """(path of the states of GluonCV's network, its parameters by path -> momentum)."""
    with without_torch():
        from gluoncv import model_zoo

    theirs = model_zoo.get_model(MODEL, classes=3)
    theirs.initialize(mx.init.Xavier())
    trainer = updated(theirs, theirs.collect_params())
    trainer.save_states(str(tmp_path / "a.states"))
    by_param = {id(param): i for i, param in enumerate(trainer._params)}
    found = states(trainer)
    return tmp_path / "a.states", {
        path: found[by_param[id(param)]][0]
        for path, param in theirs._collect_params_with_prefix().items()
        if param.grad_req != "null"
    }


def network(classes=3, model=MODEL):
    net = get_model(model, classes)
    net.initialize(mx.init.Xavier())
    return net


def test_every_state_reaches_its_parameter(written):
    path, momentum = written
    trainer = ours(network())
    load_states(trainer, path, sorted_names(trainer.net))
    names = list(trainer.net._collect_params_with_prefix())
    found = {names[index]: arrays[0] for index, arrays in states(trainer.gluon_trainer).items()}
    assert set(found) == set(momentum)
    for name in found:
        np.testing.assert_array_equal(found[name], momentum[name], err_msg=name)
    optimizer = trainer.gluon_trainer._optimizer
    assert set(optimizer._index_update_count.values()) == {3}
    assert optimizer.learning_rate == 0.01  # its own stays


def test_what_does_not_fit(written, tmp_path):
    path, _ = written
    for net in (network(5), network(model="cifar_resnet20_v2")):
        trainer = ours(net)
        with pytest.raises(UserError, match="is of another network"):
            load_states(trainer, path, sorted_names(net))
        assert not trainer.gluon_trainer._updaters[0].states
    trainer = ours(network(), momentum=0.0)
    with pytest.raises(UserError, match="is of another network or optimizer"):
        load_states(trainer, path, sorted_names(trainer.net))
    with pytest.raises(UserError, match="none does not exist"):
        load_states(trainer, tmp_path / "none", [])
    (tmp_path / "text").write_text("no pickle")
    with pytest.raises(UserError, match="text cannot be read as optimizer states of MXNet"):
        load_states(trainer, tmp_path / "text", [])
