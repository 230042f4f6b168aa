"""Whose weights each network takes, as the lists say it and as the networks themselves tell."""

import re

import pytest

from gluon_attn import get_model, list_models
from gluon_attn.convert import sources
from gluon_attn.convert.counterpart import counterpart
from gluon_attn.convert.weight_sources import _ROWS, weight_sources
from gluon_attn.models.factory import model_info
from gluon_attn.registry import matching

LIBRARIES = ("gluoncv", "timm", "torchvision")
#: whose depth is beyond 50: the others of their families are made in every run
DEEP = [name for name in list_models() if any(50 < int(n) < 1000 for n in re.findall(r"\d+", name))]


def agrees(names):
    for name in names:
        net = get_model(name, model_info(name).classes)
        there = [library for library in LIBRARIES if counterpart(net, library)]
        assert [source for source in weight_sources(name) if source in LIBRARIES] == there, name


def test_libraries_have_a_counterpart_of_what_is_listed():
    agrees(name for name in list_models() if name not in DEEP)


@pytest.mark.slow
def test_libraries_have_a_counterpart_of_the_deep_ones():
    agrees(DEEP)


def test_every_row_is_of_a_network_and_a_source():
    for pattern, found in _ROWS:
        assert matching(list_models(), pattern), pattern
        assert set(found) <= set(sources())
    assert weight_sources("tiny") == []
