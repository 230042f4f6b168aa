"""Genotypes of networks of cells: published ones, what is read, what is refused."""

import json

import pytest

from gluon_attn.genotypes.attention import attention_genotype
from gluon_attn.genotypes.cell import CellEdges, CellGenotype, cell_genotype
from gluon_attn.genotypes.files import document, published
from gluon_attn.utils.errors import UserError

CELL = {"edges": [["skip_connect", 0, ""], ["sep_conv_3x3", 1, ""]], "concat": [2], "bottleneck": ""}
BOTH = {"normal": CELL, "reduce": CELL}


def test_the_published_ones():
    assert published("normal") == ("AmoebaNet", "Att_DARTS", "DARTS_V1", "DARTS_V2", "NASNet")
    assert published("attention") == ("ATTENTION",)
    cells = cell_genotype("Att_DARTS")
    assert cells.normal.edges[0] == ("sep_conv_3x3", 0, "DoubleAttention")
    assert (cells.reduce.nodes, cells.reduce.concat) == (4, (2, 3, 4, 5))
    assert cell_genotype("NASNet").normal.edges[1] == ("sep_conv_3x3", 0, "")


def test_all_ways_to_write_one(tmp_path):
    cells = cell_genotype(BOTH)
    assert cells.to_dict() == BOTH
    flat = {f"{name}{part}": CELL[key] for name in BOTH for part, key in
            (("", "edges"), ("_concat", "concat"), ("_bottleneck", "bottleneck"))}  # fmt: skip
    for number, data in enumerate((BOTH, flat, document("att-darts", cells.to_dict(), seed=3))):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(data))
        assert cell_genotype(data) == cell_genotype(path) == cell_genotype(str(path)) == cells
    assert cell_genotype(cells) is cells


def test_an_attention_in_a_file(tmp_path):
    edges = [["none", 0], ["skip_connect", 1]]
    cell = attention_genotype(document("anas", {"attention": {"edges": edges}}, score=1.0))
    assert cell == attention_genotype({"att": edges})
    with pytest.raises(UserError, match="a genotype of attention cells is needed, this one has normal, reduce"):
        attention_genotype(document("darts", BOTH))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"edges": []}, "a cell's edges must be a list of two a node, got []"),
        ({"edges": [["a", 0], ["b", 1], ["c", 2]]}, "a cell's edges must be a list of two a node"),
        ({"edges": [["a", 0], ["b", 2]]}, "the input of b must be a whole number from 0 to 1 there, got 2"),
        ({"edges": [["a", 0], ["b", True]]}, "the input of b must be a whole number from 0 to 1 there, got True"),
        ({"edges": [["a", 0, "SE"], ["b", 1]]}, "a cell must have a second layer on all of its edges or on none"),
        ({"edges": [["a", 0, 1], ["b", 1]]}, "the layers of an edge must be names, got ['a', 0, 1]"),
        ({"edges": [["a"], ["b", 1]]}, "an edge is a layer, the number of its input and a second layer or ''"),
        ({"concat": [3]}, "a cell's concat must be a list of nodes from 2 to 2, each once, got [3]"),
        ({"concat": []}, "a cell's concat must be a list of nodes from 2 to 2"),
        ({"concat": [2, 2]}, "a cell's concat must be a list of nodes from 2 to 2"),
        ({"bottleneck": None}, "a cell's bottleneck must be the name of an attention or '', got None"),
        ({"colour": 1}, "the reduce cell of a genotype is a mapping with 'edges' and 'concat'"),
    ],
)
def test_refused(change, words):
    with pytest.raises(UserError) as caught:
        CellGenotype.from_dict({"normal": CELL, "reduce": {**CELL, **change}})
    assert str(caught.value).startswith(words)


def test_versions_and_files(tmp_path):
    with pytest.raises(UserError, match="a genotype of version 2, this program reads version 1"):
        cell_genotype({**document("darts", BOTH), "version": 2})
    path = tmp_path / "bad.json"
    path.write_text("[]")
    with pytest.raises(
        UserError, match=r"genotype .*bad.json: the file must hold a mapping with 'normal' and 'reduce'"
    ):
        cell_genotype(path)
    path.write_text(json.dumps({"normal": CELL}))
    with pytest.raises(UserError, match=r"genotype .*bad.json: the reduce cell"):
        cell_genotype(path)
    assert CellEdges([("a", 0), ("b", 1)], [2]).bottleneck == ""
