"""Drawings of cells: what is written on an edge covers nothing."""

import itertools
import shlex
import subprocess

import pytest

from gluon_attn.analyze import draw
from gluon_attn.genotypes.cell import CELL_NAMES
from gluon_attn.genotypes.files import published


@pytest.mark.skipif(draw.missing() is not None, reason="Graphviz is not here")
@pytest.mark.parametrize("name", [*published(CELL_NAMES[0]), *published("attention")])
def test_texts_cover_neither_each_other_nor_nodes(name):
    """Graphviz keeps nodes apart and leads edges around them, but draws both over the labels of edges."""
    text = draw.to_dot(draw.open_genotype(name))
    assert not [line for line in text.splitlines() for part in line.split(";") if "->" in part and "label" in part]
    laid_out = subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, text=True, check=True).stdout
    boxes = [list(map(float, shlex.split(line)[2:6])) for line in laid_out.splitlines() if line.startswith("node")]
    assert len(boxes) > 10
    for (x, y, width, height), (u, v, wide, high) in itertools.combinations(boxes, 2):
        assert abs(x - u) >= (width + wide) / 2 - 1e-3 or abs(y - v) >= (height + high) / 2 - 1e-3


def test_colours_of_a_drawing_on_a_page():
    """Words between the nodes have the page's text colour; black is what the page replaces."""
    text = draw.to_dot(draw.open_genotype("Att_DARTS"))
    words = [line for line in text.splitlines() if "sep_conv_3x3" in line]
    assert words
    assert all('fontcolor="black"' in line for line in words)
