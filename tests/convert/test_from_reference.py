"""Weights of references: each tensor in its place, and what does not fit is named."""

import mxnet as mx
import numpy as np
import pytest
from reference_states import numbers, state_of

import gluon_attn
from gluon_attn import Plan, get_attention, get_model
from gluon_attn.convert import load_reference, reference_names, sources
from gluon_attn.utils.errors import UserError

SE = {"ChannelGate.gate_c.gate_c_fc_0": (4, 16), "ChannelGate.gate_c.gate_c_fc_final": (16, 4)}


def failing(block, state, source="echo"):
    """The message of the refusal, after which nothing has changed."""
    block.initialize(force_reinit=True)
    before = {name: param.data().asnumpy() for name, param in block.collect_params().items()}
    with pytest.raises(UserError) as caught:
        load_reference(block, state, source)
    assert all((p.data().asnumpy() == before[name]).all() for name, p in block.collect_params().items())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def echo_se():
    """An SE of ours and a state for it as Echo has it, its layers dense."""
    state = {f"{name}.weight": numbers(shape) for name, shape in SE.items()}
    return get_attention("se", 16, reduction=4), state | {f"{n}.bias": numbers(shape[:1]) for n, shape in SE.items()}


def test_public_names():
    assert gluon_attn.convert.load_reference is load_reference
    words = "anas att-darts ean ecanet echo gluoncv mmdetection open-atac timm torchvision"
    assert sources() == words.split()
    assert "convert" in dir(gluon_attn)


def test_dense_layers_fill_convolutions():
    block, state = echo_se()
    load_reference(block, state, "echo")
    x = numbers((2, 16, 5, 4))
    first, second = (lambda v, name=name: v @ state[f"{name}.weight"].T + state[f"{name}.bias"] for name in SE)
    logits = second(np.maximum(first(x.mean((2, 3))), 0))
    wanted = x / (1 + np.exp(-logits))[:, :, None, None]
    np.testing.assert_allclose(block(mx.nd.array(x)).asnumpy(), wanted, rtol=1e-5, atol=1e-5)


def test_an_initialized_block_of_another_dtype_keeps_it():
    block, state = echo_se()
    block.initialize()
    block.cast("float64")
    load_reference(block, {name: value.astype("float16") for name, value in state.items()}, "echo")
    assert block.mlp[0].weight.data().dtype == np.float64
    got = block.mlp[0].weight.data().asnumpy()[:, :, 0, 0]
    np.testing.assert_array_equal(got, state["ChannelGate.gate_c.gate_c_fc_0.weight"].astype("float16"))


def test_what_does_not_fit_is_named():
    block, state = echo_se()
    name = "ChannelGate.gate_c.gate_c_fc_0.bias"
    wrong = "the echo weights are of another network: they "
    assert failing(block, {n: v for n, v in state.items() if n != name}) == f"{wrong}lack {name}"
    assert failing(block, {**state, "fc.weight": state[name]}) == f"{wrong}have fc.weight in addition"
    assert failing(block, {**state, name: state[name][:3]}) == f"{name} has shape (3,) in the weights, here (4,)"
    transposed = {n: v.T for n, v in state.items()}
    assert failing(block, transposed).startswith(
        "ChannelGate.gate_c.gate_c_fc_0.weight has shape (16, 4) in the weights"
    )
    assert "and 1 more" in failing(block, {}, "timm")
    assert failing(block, state, "torch") == (
        "unknown source 'torch'; choose from anas, att-darts, ean, ecanet, echo, gluoncv, mmdetection, open-atac, "
        "timm, torchvision"
    )


def test_counters_are_passed_over():
    block = get_attention("triplet", 16, bias=True)
    state, _ = state_of(block, "echo")
    load_reference(block, {**state, "cw.conv_bn.1.num_batches_tracked": np.array(5)}, "echo")


def test_a_network_of_timm():
    net = get_model("resnet18_v1b", 10, attention="eca")
    names = set(reference_names(net, "timm").values())
    assert {"conv1.weight", "bn1.running_var", "layer1.0.se.conv.weight", "layer2.0.downsample.1.bias"} <= names
    state, ours = state_of(net, "timm")
    load_reference(net, state, "timm")
    np.testing.assert_array_equal(net.layer2[0].downsample[1].beta.data().asnumpy(), ours["layer2.0.downsample.1.beta"])


@pytest.mark.parametrize("spelling", ["eca", "att"])
def test_the_spelling_that_the_weights_have(spelling):
    net = get_model("cifar_resnet20_a", 10, attention="eca")
    state, _ = state_of(net, "ecanet")
    assert "layer1.0.eca.conv.weight" in state
    state = {name.replace(".eca.", f".{spelling}."): value for name, value in state.items()}
    load_reference(net, state, "ecanet")
    np.testing.assert_array_equal(
        net.layer3[2].post.conv.weight.data().asnumpy(), state[f"layer3.2.{spelling}.conv.weight"]
    )


def test_a_module_that_blocks_share_is_loaded_once():
    net = get_model("cifar_resnet20_b", 10, plan=Plan([{"name": "sge", "shared": True, "options": {"groups": 4}}]))
    state, _ = state_of(net, "ean")
    shared = [name for name in state if "share_fc" in name]
    assert sorted(shared) == sorted(f"layer{i}.share_fc.{part}" for i in (1, 2, 3) for part in ("weight", "bias"))
    load_reference(net, state, "ean")
    for block in net.layer2:
        np.testing.assert_array_equal(block.post.weight.data().asnumpy(), state["layer2.share_fc.weight"])
    # a stage without attention has its module in the weights all the same
    plan = Plan([{"name": "sge", "shared": True, "options": {"groups": 4}, "scheme": "111000010"}])
    net = get_model("cifar_resnet20_b", 10, plan=plan)
    load_reference(net, state, "ean")
    assert net.layer2[0].post is None
    del state["layer3.share_fc.bias"]
    assert failing(net, state, "ean").endswith("they lack layer3.share_fc.bias")


def test_a_norm_without_scale_and_shift():
    net = get_model("atac_cifar_resnet", 10, blocks=1)
    state, _ = state_of(net, "open-atac")
    assert "features.0.gamma" not in state
    load_reference(net, state, "open-atac")
    norm = net.features[0]
    assert (norm.gamma.data().asnumpy() == 1).all()
    assert (norm.beta.data().asnumpy() == 0).all()
    load_reference(net, {**state, "features.0.gamma": np.ones(3), "features.0.beta": np.zeros(3)}, "open-atac")
    words = "features.0.beta scales or shifts, which the normalization here does not"
    assert failing(net, {**state, "features.0.beta": np.ones(3)}, "open-atac") == words


def test_names_of_a_network_in_parallel():
    block, state = echo_se()
    load_reference(block, {f"module.{name}": value for name, value in state.items()}, "echo")
    np.testing.assert_array_equal(block.mlp[2].bias.data().asnumpy(), state["ChannelGate.gate_c.gate_c_fc_final.bias"])
    block = get_attention("cha_atac", 16)
    state, ours = state_of(block, "open-atac")
    assert all(name.startswith("module.") for name in state)
    load_reference(block, state, "open-atac")
    np.testing.assert_array_equal(block.mlp[0].weight.data().asnumpy(), ours["mlp.0.weight"])
