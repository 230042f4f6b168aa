"""Wrappers around a network: whatever stands before the names of its tensors, the network is found behind it."""

import logging

import numpy as np
import pytest
from reference_states import numbers, state_of

from gluon_attn import get_attention, get_model
from gluon_attn.convert import load_reference, match, rows
from gluon_attn.convert.infer_model import infer_config
from gluon_attn.convert.tensors import Tensors
from gluon_attn.convert.wrappers import unwrapped
from gluon_attn.utils.errors import UserError


def wrapped(state, prefix):
    return {prefix + name: value for name, value in state.items()}


@pytest.fixture
def network():
    """(a network, random weights under timm's names, our path -> array)."""
    net = get_model("resnet18_v1b", 3, blocks=[1, 1, 1, 1])
    return (net, *state_of(net, "timm"))


def loads(network, state):
    net, _, ours = network
    net.initialize(force_reinit=True)
    load_reference(net, state, "timm")
    return all(
        (param.data().asnumpy() == ours[path]).all() for path, param in net._collect_params_with_prefix().items()
    )


CHAINS = ["module.", "_orig_mod.", "model.", "net.", "encoder.", "module._orig_mod.", "_orig_mod.module.model.", "a.b."]


@pytest.mark.parametrize("prefix", CHAINS)
def test_a_chain_before_all_names(network, prefix):
    state = wrapped(network[1], prefix)
    assert loads(network, state)
    assert match(network[0], state, "timm").prefix == prefix
    assert rows(network[0], state, "timm", "fc.weight") == 3
    found = infer_config(Tensors.of(state), "timm")
    assert (found.model, found.model_options) == ("resnet18_v1b", {"blocks": [1, 1, 1, 1]})


@pytest.mark.parametrize("counter", ["n_averaged", "steps"])
def test_an_averaged_model(network, counter, caplog):
    state = {counter: np.array(100), **wrapped(network[1], "module.")}
    assert loads(network, state)
    assert loads(network, wrapped(state, "model."))
    assert match(network[0], state, "timm").left == ()
    assert not caplog.records


def test_marks_in_the_middle(network):
    """`torch.compile` of parts."""
    marked = {name.replace("layer1.", "layer1._orig_mod."): value for name, value in network[1].items()}
    assert marked.keys() != network[1].keys()
    assert loads(network, marked)
    assert loads(network, wrapped(marked, "module."))
    assert infer_config(Tensors.of(marked), "timm") is not None


@pytest.mark.parametrize("prefix", ["model.", "module.model.", "model._orig_mod.", "student.module."])
def test_other_tensors_beside_the_network(network, prefix, caplog):
    start = "module." if prefix.startswith("module.") else ""
    state = {**wrapped(network[1], prefix), f"{start}loss.weight": numbers((3,))}
    with caplog.at_level(logging.WARNING, "gluon_attn"):
        assert loads(network, state)
    assert [record.getMessage() for record in caplog.records] == [
        f"took the weights under {prefix} and left {start}loss.weight"
    ]
    found = match(network[0], state, "timm")
    assert (found.prefix, found.beside, found.left) == (prefix, (f"{start}loss.weight",), (f"{start}loss.weight",))
    assert infer_config(Tensors.of(state), "timm") is not None


def test_two_networks(network):
    net, state, _ = network
    other = state_of(get_model("resnet18_v1b", 3), "timm")[0]
    assert loads(network, {**wrapped(state, "student."), **wrapped(other, "teacher.")})  # one of them fits
    both = {**wrapped(state, "student.module."), **wrapped(state, "teacher.")}
    with pytest.raises(UserError) as caught:
        load_reference(net, both, "timm")
    assert str(caught.value) == (
        "the timm weights fit under several names, student.module. and teacher.: save one of these networks alone"
    )


def test_what_stays_refused(network):
    net, state, _ = network
    less = {name: value for name, value in state.items() if name != "fc.bias"}
    for wrong, words in (
        (wrapped(less, "module."), "the timm weights are of another network: they lack fc.bias"),
        ({**wrapped(less, "model."), "loss.weight": state["fc.bias"]}, "they lack fc.bias"),
        ({**wrapped(state, "layer1."), "loss.weight": state["fc.bias"]}, "they lack"),  # no usual wrapper
        ({**state, "loss.weight": state["fc.bias"]}, "they have loss.weight in addition"),
        ({**state, "module.fc.bias": state["fc.bias"]}, "they have module.fc.bias in addition"),
    ):
        with pytest.raises(UserError, match=words):
            load_reference(net, wrong, "timm")


def test_names_of_a_network_that_look_like_a_wrapper():
    block = get_attention("cha_atac", 16)
    state, ours = state_of(block, "open-atac")
    assert all(name.startswith("module.") for name in state)
    for given in (state, wrapped(state, "module."), wrapped(state, "model.")):
        block.initialize(force_reinit=True)
        load_reference(block, given, "open-atac")
        assert (block.mlp[0].weight.data().asnumpy() == ours["mlp.0.weight"]).all()


def test_nothing_to_take_off():
    assert [found.prefix for found in unwrapped(Tensors.of({}))] == [""]
    assert [found.prefix for found in unwrapped(Tensors.of({"a": 1, "b": 2}))] == [""]
