"""Search spaces: which layers each location of the attentions gives candidates."""

import pytest

from gluon_attn.search.darts.space import ATT_DARTS_ATTENTIONS, DARTS_OPS, AttentionSpace, cell_space
from gluon_attn.utils.errors import UserError


@pytest.mark.parametrize(
    ("location", "sizes"),
    [
        ("after_every", (8, 6, 0)),
        ("end", (8, 0, 6)),
        ("after_every_and_end", (8, 6, 6)),
        ("mixed_with_operation", (13, 0, 0)),
        ("double_mixed", (13, 13, 0)),
        ("no_attention", (8, 0, 0)),
    ],
)
def test_locations(location, sizes):
    space = cell_space(location)
    assert (len(space.first), len(space.second), len(space.last)) == sizes
    assert space.edges == 14
    assert space.first[:8] == DARTS_OPS
    assert "Identity" not in space.first


def test_other_attentions():
    assert cell_space("end", ("identity", "eca", "simam")).last == ("identity", "eca", "simam")
    assert AttentionSpace().edges == 9


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("everywhere",), "location must be after_every or end"),
        (("end", ()), "attentions must be Identity and at least one other, got none"),
        (("end", ATT_DARTS_ATTENTIONS[1:]), "attentions must be Identity and at least one other, got SE, BAM"),
    ],
)
def test_refused(arguments, words):
    with pytest.raises(UserError) as caught:
        cell_space(*arguments)
    assert str(caught.value).startswith(words)
