"""Which parameters form a group, and that updates scale with the group's factor."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

import gluon_attn
from gluon_attn.config.optim import OptimConfig
from gluon_attn.engine.layer_decay import layer_groups
from gluon_attn.engine.optim import make_trainer, optimizer_names
from gluon_attn.engine.prepare_network import freeze, mark_new
from gluon_attn.engine.schedule import Schedule
from gluon_attn.utils.errors import UserError


def grouped(net):
    """Structural names, one list per group; of a shared parameter the first."""
    names = {id(param): name for name, param in reversed(list(net._collect_params_with_prefix().items()))}
    return [[names[id(param)] for param in group] for group in layer_groups(net)]


@pytest.mark.parametrize(
    ("model", "options", "count", "stem", "blocks", "after", "classifier"),
    [
        ("resnet18_v1b", {}, 10, ("conv1.", "bn1."), "layer1.0. layer1.1. layer2.0.", (), "fc."),
        ("resnet18_v1d", {}, 10, ("conv1.", "bn1."), "layer1.0. layer1.1. layer2.0.", (), "fc."),
        ("bam_resnet18", {}, 13, ("conv1.", "bn1."), "layer1.0. layer1.1. layer1.2. layer2.0.", (), "fc."),
        ("cifar_resnet20_v2", {}, 11, ("features.0.", "features.1."), "features.2.0.", ("features.5.",), "output."),
        ("mobilenet_v2", {}, 19, ("features.0.",), "features.1. features.2.", ("features.18.",), "classifier."),
        ("cifar_resnet20_a", {"attention": "dia"}, 11, ("conv1.", "bn1."), "layer1.0. layer1.1.", (), "linear."),
    ],
)
def test_groups(model, options, count, stem, blocks, after, classifier):
    net = gluon_attn.get_model(model, **options)
    groups = grouped(net)
    assert len(groups) == count
    assert all(name.startswith(stem) for name in groups[0])
    for group, prefix in zip(groups[1:], blocks.split(), strict=False):
        assert all(name.startswith(prefix) for name in group)
    prefixes = {name.rpartition(".")[0] for name in groups[-2]}
    assert all(any(f"{prefix}.".startswith(layer) for prefix in prefixes) for layer in after)
    assert all(name.startswith(classifier) for name in groups[-1])
    found = [name for group in groups for name in group]
    assert len(found) == len(set(found)) == len(list(net.collect_params().keys()))


class Residual(gluon.HybridBlock):
    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.dense = gluon.nn.Dense(3, in_units=3)

    def hybrid_forward(self, F, x):
        return x + self.dense(x)


def network():
    net = gluon.nn.HybridSequential()
    net.add(gluon.nn.Dense(3, in_units=3), Residual(), Residual(), gluon.nn.Dense(3, in_units=3))
    net.initialize(mx.init.Normal(1.0))
    return net


def steps(net, **options):
    """Change of each parameter in one step whose gradients are all 1."""
    config = OptimConfig(lr=0.1, wd=0, **options)
    trainer = make_trainer(net, config, Schedule(config, 2, 2))
    params = net._collect_params_with_prefix()
    before = {name: param.data().asnumpy() for name, param in params.items()}
    with autograd.record():
        loss = net(mx.nd.ones((1, 3))).sum()
    loss.backward()
    for param in params.values():
        if param.grad_req != "null":
            param.grad()[:] = 1
    trainer.step(1)
    return {name: param.data().asnumpy() - before[name] for name, param in params.items()}


DEPTHS = {"0": 3, "1.dense": 2, "2.dense": 1, "3": 0}


@pytest.mark.parametrize("optimizer", ["sgd", "nag"])
def test_a_step_is_the_factor_to_the_depth_times_the_usual_one(optimizer):
    plain = steps(network(), optimizer=optimizer, momentum=0.9)
    net = network()
    for name, step in steps(net, optimizer=optimizer, momentum=0.9, layer_decay=0.5).items():
        np.testing.assert_allclose(step, plain[name] * 0.5 ** DEPTHS[name.rpartition(".")[0]], rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("optimizer", sorted({*optimizer_names()} - {"adadelta", "ftrl"}))
def test_every_optimizer_minds_it(optimizer):
    for name, step in steps(network(), optimizer=optimizer, layer_decay=1e-6).items():
        assert (np.abs(step).max() < 1e-4) == (DEPTHS[name.rpartition(".")[0]] > 0), name


@pytest.mark.parametrize("optimizer", ["adadelta", "ftrl"])
def test_optimizers_that_make_their_own_rates_are_refused(optimizer):
    with pytest.raises(UserError, match=f"the steps of {optimizer} do not follow the learning rate"):
        steps(network(), optimizer=optimizer, layer_decay=0.5)


def test_frozen_blocks_stay_and_count():
    net = network()
    freeze(net, "[01]")
    moved = steps(net, optimizer="sgd", momentum=0, layer_decay=0.5)
    assert [np.abs(moved[f"{name}.weight"]).max() for name in DEPTHS] == pytest.approx([0, 0, 0.05, 0.1], abs=1e-6)


def test_a_network_without_blocks_is_refused():
    net = gluon.nn.HybridSequential()
    net.add(gluon.nn.Dense(3, in_units=3), gluon.nn.Activation("relu"), gluon.nn.Dense(3, in_units=3))
    with pytest.raises(UserError, match="option layer_decay needs a network of blocks, this one has none"):
        layer_groups(net)


def test_what_is_new_keeps_the_whole_rate():
    net = network()
    mark_new(net, ["1.dense.weight"])
    moved = steps(net, optimizer="sgd", momentum=0, layer_decay=0.5)
    found = {name: np.abs(step).max() for name, step in moved.items() if not name.startswith("3")}
    assert found == pytest.approx({
        "0.weight": 0.0125, "0.bias": 0.0125, "1.dense.weight": 0.1, "1.dense.bias": 0.025,
        "2.dense.weight": 0.05, "2.dense.bias": 0.05,
    }, rel=1e-4)  # fmt: skip
