"""Attentions by name: names, aliases, options, and what is refused."""

import pkgutil

import numpy as np
import pytest

import gluon_attn
from gluon_attn import attention, get_attention, list_attentions
from gluon_attn.attention.base import ATTENTIONS, Attention
from gluon_attn.attention.factory import attention_name, attention_options
from gluon_attn.utils.errors import UserError


def failing(name, channels=16, **options):
    """The message of the `UserError`, which must be one line."""
    with pytest.raises(UserError) as caught:
        get_attention(name, channels, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def whole_map(name):
    """The option of an attention whose kernel covers the map."""
    return {"spatial": 7} if "spatial" in attention_options(name) else {}


@pytest.mark.parametrize("name", ["eca", "cbam", "identity"])
def test_a_module_tells_its_name(name):
    module = get_attention(name, 16)
    assert attention_name(module) == name
    assert {attention_name(child) for child in module._children.values()} <= {None}


def test_names_are_sorted_and_public():
    assert list_attentions() == sorted(list_attentions())
    assert {"identity", "se", "eca", "cbam", "cha_atac"} <= set(list_attentions())
    assert gluon_attn.get_attention is get_attention


def test_every_file_of_the_folder_registers_something():
    files = {m.name for m in pkgutil.iter_modules(attention.__path__)} - {"base", "factory"}
    registered = {ATTENTIONS.get(name).__module__.rsplit(".", 1)[1] for name in list_attentions()}
    assert registered == files


def test_every_name_makes_its_own_attention():
    for name in list_attentions():
        block = get_attention(name, 16, **whole_map(name))
        assert isinstance(block, Attention)
        assert type(block) is ATTENTIONS.get(name)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("SE", "se"), ("SELayer", "se"), ("ECA", "eca"), ("CBAM", "cbam"), ("ChaATAC", "cha_atac"),
        ("atac", "cha_atac"), ("Identity", "identity"), ("none", "identity"), ("CoordAtt", "coord"), ("SimAM", "simam"),
        ("ShuffleAttention", "shuffle"), ("cbaml", "light_cbam"), ("eSE", "ese"), ("scSE", "scse"),
    ],
)  # fmt: skip
def test_the_references_spellings(alias, name):
    assert type(get_attention(alias, 16)) is ATTENTIONS.get(name)
    assert alias not in list_attentions()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("see", "unknown attention 'see'; did you mean"),
        ("zzzz", f"unknown attention 'zzzz'; choose from {', '.join(list_attentions())}"),
        (None, "unknown attention None; "),
    ],
)
def test_unknown_name(name, words):
    assert failing(name).startswith(words)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("se", {"reductoin": 4}, "attention 'se' has no option 'reductoin'; did you mean reduction?"),
        (
            "SE",
            {"kernel": 3},
            "attention 'SE' has no option 'kernel'; known: activation, bias, block_channels, "
            "gate, narrowest, reduction, rounding",
        ),
        ("identity", {"reduction": 4}, "attention 'identity' has no option 'reduction'"),
        ("se", {"reduction": 0}, "reduction must be a whole number above 0, got 0"),
        ("se", {"reduction": 2.0}, "reduction must be a whole number above 0, got 2.0"),
        ("se", {"reduction": True}, "reduction must be a whole number above 0, got True"),
        ("se", {"bias": "no"}, "bias must be true or false, got 'no'"),
        ("cbam", {"kernel_size": 4}, "kernel_size must be odd, got 4"),
        ("cbam", {"bias": 1}, "bias must be true or false, got 1"),
        ("eca", {"kernel_size": "3"}, "kernel_size must be a whole number above 0, got '3'"),
        ("eca", {"kernel_size": 3, "gamma": 2}, "eca takes kernel_size, or gamma and b, not both"),
        ("eca", {"kernel_size": 3, "b": 2}, "eca takes kernel_size, or gamma and b, not both"),
        ("ceca", {"kernel_size": 35}, "ceca takes a kernel_size of at most 33 here, got 35"),
        ("eca_mlp", {"reduction": -1}, "reduction must be a whole number above 0, got -1"),
        ("simam", {"e_lambda": 0}, "e_lambda must be a number above 0, got 0"),
        ("simam", {"e_lambda": True}, "e_lambda must be a number above 0, got True"),
        ("simam", {"e_lambda": float("inf")}, "e_lambda must be a number above 0, got inf"),
        ("shuffle", {"groups": 3}, "shuffle needs channels that 2 * groups divides, got 16 channels, 3 groups"),
        ("shuffle", {"groups": 0}, "groups must be a whole number above 0, got 0"),
        ("eca", {"gamma": 0}, "eca takes a number above 0 as gamma and a number as b, got 0 and 1"),
        ("eca", {"b": "one"}, "eca takes a number above 0 as gamma and a number as b, got 2 and 'one'"),
        ("eca", {"gamma": float("nan")}, "eca takes a number above 0 as gamma and a number as b, got nan and 1"),
        ("cha_atac", {"relu": "off"}, "relu must be true or false, got 'off'"),
        ("cha_atac", {"global_pool": None}, "global_pool must be true or false, got None"),
    ],
)
def test_wrong_options(name, options, words):
    assert failing(name, **options) == words


@pytest.mark.parametrize("channels", [0, -4, 2.5, "16", None, True])
def test_wrong_channels(channels):
    for name in list_attentions():
        words = failing(name, channels, **whole_map(name))
        assert words == f"channels must be a whole number above 0, got {channels!r}"


def test_numbers_of_numpy_are_numbers():
    assert get_attention("se", np.int64(16), reduction=np.int32(4)).mlp[0].weight.shape == (4, 16, 1, 1)


def test_options_and_defaults_are_read_from_the_class():
    assert attention_options("se") == {
        "reduction": 16, "narrowest": 1, "bias": True, "rounding": "down", "activation": "relu", "gate": "sigmoid",
        "block_channels": None,
    }  # fmt: skip
    assert attention_options("ECA") == {"kernel_size": None, "gamma": None, "b": None}
    assert attention_options("identity") == {}


def test_repr_counts_the_weights_there_are():
    block = get_attention("se", 16, reduction=4)
    assert repr(block) == "SE(16)"
    block.initialize()
    assert repr(block) == f"SE(16, {16 * 4 + 4 + 4 * 16 + 16} weights)"
