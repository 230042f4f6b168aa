"""Entries of a plan: what fits a network, what can be built, and what a module is told."""

import pytest
from mxnet.gluon import nn

from gluon_attn import Plan
from gluon_attn.attention.base import ATTENTIONS
from gluon_attn.utils.errors import UserError

BLOCKS = [3, 3, 3]


def failing(maker, *arguments, **options):
    """The message of the `UserError`, which must be one line."""
    with pytest.raises(UserError) as caught:
        maker(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("entry", "slots", "words"),
    [
        ({"slot": "conv", "name": "sk"}, ("post", "act"), "sk needs a 'conv' slot; this backbone has post, act"),
        ({"stages": [4]}, ("post",), "identity: stages [4] are not all within 1 to 3"),
        ({"stages": [0, 1]}, ("post",), "identity: stages [0, 1] are not all within 1 to 3"),
        ({"slot": "act", "stages": [5]}, ("act",), "identity: stages [5] are not all within 1 to 4"),
        ({"scheme": "1" * 8}, ("post",), "identity: the scheme has 8 bits, the network 9 blocks"),
        (
            {"slot": "stage", "scheme": "1" * 9},
            ("stage",),
            "identity: a scheme counts blocks, a 'stage' slot has none; give stages instead",
        ),
    ],
)
def test_what_does_not_fit_the_network(entry, slots, words):
    assert failing(Plan([entry]).bind, BLOCKS, slots) == words


def test_an_act_slot_holds_activations_and_attentions():
    plan = Plan([{"slot": "act", "name": "prelu", "stages": [1]}, {"slot": "act", "name": "ChaATAC", "stages": [2]}])
    plan = plan.bind(BLOCKS)
    assert isinstance(plan.make("act", 1, 0, 16), nn.PReLU)
    assert type(plan.make("act", 2, 0, 16)).__name__ == "ChaATAC"
    assert plan.make("act", 3, 0, 16) is None


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"slot": "act", "name": "elu", "options": {"slope": 1}}, "activation 'elu' has no options, got slope"),
        ({"slot": "post", "name": "elu"}, "unknown attention 'elu'; "),
        ({"name": "sse"}, "unknown attention 'sse'; did you mean "),
        ({"name": "se", "options": {"r": 4}}, "attention 'se' has no option 'r'; known: activation, bias, "),
        (
            {"name": "se", "options": {"name": "eca"}},
            "attention 'se' has no option 'name'; ",
        ),
        ({"name": "se", "options": {"channels": 4}}, "attention 'se' has no option 'channels'"),
        ({"name": "se", "options": {"reduction": -1}}, "reduction must be a whole number above 0, got -1"),
    ],
)
def test_entries_that_cannot_be_built(entry, words):
    plan = Plan([entry]).bind(BLOCKS)
    assert failing(plan.make, entry.get("slot", "post"), 1, 0, 16).startswith(words)


def test_modules_get_their_channels_and_height(monkeypatch):
    class Tall(ATTENTIONS.get("identity")):
        def __init__(self, channels, *, spatial=None):
            super().__init__(channels)
            self.seen = channels, spatial

    monkeypatch.setitem(ATTENTIONS._makers, "tall", Tall)
    assert Plan([{"name": "tall"}]).bind(BLOCKS).make("post", 1, 0, 24, 17).seen == (24, 17)
    assert Plan([{"name": "tall", "options": {"spatial": 5}}]).make("post", 1, 0, 24, 17).seen == (24, 5)
    assert Plan([{"name": "tall"}]).make("post", 1, 0, 24).seen == (24, None)
