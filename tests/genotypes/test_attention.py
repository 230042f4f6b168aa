"""Genotypes of attention cells: what is read, and what is refused."""

import json

import pytest

from gluon_attn.genotypes.attention import AttentionGenotype, attention_genotype
from gluon_attn.utils.errors import UserError

EDGES = [["skip_connect", 0], ["none", 1], ["channel_score", 2], ["spatial_score", 0]]

MUST = "genotype must be ATTENTION, a mapping with 'att', Genotype(...) as text, or a file with one, got "


def test_the_published_cell():
    cell = attention_genotype("ATTENTION")
    assert cell.nodes == 3
    assert cell.att[3] == ("channel_score", 2)


def test_plain_data_there_and_back(tmp_path):
    cell = attention_genotype({"att": EDGES})
    assert cell.nodes == 2
    assert cell.to_dict() == {"att": EDGES}
    (tmp_path / "cell.json").write_text(json.dumps({"att": EDGES}))
    assert attention_genotype(str(tmp_path / "cell.json")) == attention_genotype(tmp_path / "cell.json") == cell
    assert attention_genotype(cell) is attention_genotype(cell) is cell
    assert attention_genotype({"att": [EDGES[:2], EDGES[2:]]}) == cell  # one list for each node
    assert hash(cell) == hash(AttentionGenotype(EDGES))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("ATENTION", f"{MUST}'ATENTION'"),
        (7, f"{MUST}7"),
        ({"normal": []}, "an attention genotype is a mapping with the key 'att', got {'normal': []}"),
        ({"att": []}, "a genotype's att must be a list of two edges per node, got []"),
        ({"att": EDGES[:3]}, "a genotype's att must be a list of two edges per node"),
        ({"att": [["skip_connect"], *EDGES[1:]]}, "an edge is an operation and the number of its input"),
        ({"att": [["gru", 0], *EDGES[1:]]}, "unknown operation 'gru' in a genotype; choose from none, skip_connect"),
        (
            {"att": [["sep_conv", 0], *EDGES[1:]]},
            "unknown operation 'sep_conv' in a genotype; did you mean sep_conv_3x3",
        ),
        ({"att": [EDGES[:2], EDGES[2:3]]}, "a node of a genotype has two edges, node 3 has 1"),
        ({"att": [["none", 2], *EDGES[1:]]}, "the input of none must be a whole number from 0 to 1 there, got 2"),
        ({"att": [["none", True], *EDGES[1:]]}, "the input of none must be a whole number from 0 to 1 there, got True"),
    ],
)
def test_refused(given, words):
    with pytest.raises(UserError) as caught:
        attention_genotype(given)
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)


def test_a_file_is_named(tmp_path):
    (tmp_path / "cell.json").write_text(json.dumps({"att": []}))
    for name in ("cell.json", "none.json"):
        with pytest.raises(UserError, match=name):
            attention_genotype(tmp_path / name)
