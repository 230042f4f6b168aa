"""Gradients that nobody takes: left out, with the same numbers, and without preparing each step anew."""

import mxnet as mx
import pytest
from mxnet.gluon import nn

from gluon_attn import get_model
from gluon_attn.engine.graph_form import GraphForm, traced
from gluon_attn.engine.precision import computing
from gluon_attn.engine.unused_gradients import without_unused_gradients

X = mx.nd.array([[[[1.0, 2.0], [3.0, 5.0]]] * 3] * 4) * mx.nd.arange(1, 5).reshape((4, 1, 1, 1))


@pytest.fixture
def net():
    block = nn.HybridSequential()
    block.add(
        nn.Conv2D(4, 1, in_channels=3),
        nn.BatchNorm(in_channels=4, center=False, scale=False),
        nn.Conv2D(2, 1, in_channels=4),
    )
    block.initialize(mx.init.Xavier(magnitude=3))
    return block


def step(form):
    with mx.autograd.record():
        loss = (form(X) ** 2).sum()
    loss.backward()
    mx.nd.waitall()


def gradients(form, net):
    step(form)
    return [param.grad().asnumpy() for param in net.collect_params().values() if param.grad_req != "null"]


def test_the_numbers_stay(net):
    form = computing(net, "float32")
    assert isinstance(form, GraphForm)
    for a, b in zip(gradients(form, net), gradients(net, net), strict=True):
        assert (a == b).all()
        assert a.any()


def test_no_step_is_prepared_anew(net, tmp_path):
    form = computing(net, "float32")
    step(form)
    step(form)
    mx.profiler.set_config(profile_symbolic=True, aggregate_stats=True, filename=str(tmp_path / "profile.json"))
    mx.profiler.set_state("run")
    step(form)
    mx.profiler.set_state("stop")
    report = mx.profiler.dumps(reset=True)
    assert "Convolution" in report
    assert "DeleteOperator" not in report  # what MXNet had prepared


def test_what_is_frozen_and_trained_again_has_its_gradient_again(net):
    form, weight = computing(net, "float32"), net[2].weight
    net[0].weight.grad_req = "null"
    weight.grad_req = "null"
    step(form)
    weight.grad_req = "write"
    step(form)
    first = weight.grad().asnumpy()
    step(net)
    assert (first == weight.grad().asnumpy()).all()
    assert first.any()


def test_only_where_other_gradients_are_computed(net):
    graph = traced(net)[1]
    assert without_unused_gradients(graph, net.collect_params()) is not graph
    net[0].collect_params().setattr("grad_req", "null")  # now nothing before the second convolution learns
    assert without_unused_gradients(graph, net.collect_params()) is graph


def test_a_network_that_trains_all_stays_as_it_is():
    net = get_model("cifar_resnet20_v1", attention="se")
    net.initialize()
    assert computing(net, "float32") is net
