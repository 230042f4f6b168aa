"""Genotype files: published ones, versions, and files of the wrong kind."""

import json

import pytest

from gluon_attn.genotypes import attention_genotype, cell_genotype, document, published
from gluon_attn.genotypes.cell import CellEdges
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


def test_an_attention_in_a_file(tmp_path):
    edges = [["none", 0], ["skip_connect", 1]]
    cell = attention_genotype(document("anas", {"attention": {"edges": edges}}, score=1.0))
    assert cell == attention_genotype({"att": edges})
    with pytest.raises(UserError, match="a genotype of attention cells is needed, this one has normal, reduce"):
        attention_genotype(document("darts", BOTH))


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
