"""Genotypes of cells: what is read, what is refused."""

import json

import pytest

from gluon_attn.genotypes.cell import CELL_NAMES, CELL_TITLES, CellGenotype, cell_genotype
from gluon_attn.genotypes.files import document
from gluon_attn.utils.errors import UserError

CELL = {"edges": [["skip_connect", 0, ""], ["sep_conv_3x3", 1, ""]], "concat": [2], "bottleneck": ""}
BOTH = {"normal": CELL, "reduce": CELL}


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
    nested = {**CELL, "edges": [CELL["edges"]]}  # as khanrc/pt.darts has them
    assert cell_genotype({"normal": nested, "reduce": nested}) == cells
    path.write_text(
        json.dumps({**flat, "normal": [CELL["edges"]], "reduce": [[["skip_connect", 0], ["sep_conv_3x3", 1]]]})
    )
    assert cell_genotype(path) == cells


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"edges": []}, "a cell's edges must be a list of two per node, got []"),
        ({"edges": [["a", 0], ["b", 1], ["c", 2]]}, "a cell's edges must be a list of two per node"),
        ({"edges": [["a", 0], ["b", 2]]}, "the input of b must be a whole number from 0 to 1 there, got 2"),
        ({"edges": [["a", 0], ["b", True]]}, "the input of b must be a whole number from 0 to 1 there, got True"),
        ({"edges": [["a", 0, "SE"], ["b", 1]]}, "a cell must have a second layer on all of its edges or on none"),
        ({"edges": [["a", 0, 1], ["b", 1]]}, "the layers of an edge must be names, got ['a', 0, 1]"),
        ({"edges": [["a"], ["b", 1]]}, "an edge is an operation, the number of its input and a second layer or ''"),
        ({"edges": [[["a", 0], ["b", 1]], [["c", 2]]]}, "a node of a genotype has two edges, node 3 has 1"),
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


def test_the_order_in_which_cells_are_drawn():
    assert list(CELL_TITLES.items()) == [("normal", "normal cell"), ("reduce", "reduction cell")]
    assert CELL_NAMES == tuple(CELL_TITLES) == tuple(cell_genotype(BOTH).to_dict())
