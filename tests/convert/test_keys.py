"""The keys of the tables of every source: each belongs to a class of ours, and no name of a class is consulted."""

import contextlib
import importlib
import pkgutil
from collections import Counter

import pytest
from mxnet.gluon import HybridBlock

import gluon_attn
from gluon_attn import get_attention, get_model
from gluon_attn.convert import reference_names, sources
from gluon_attn.convert.names import find_name_map
from gluon_attn.genotypes.cell import cell_genotype

SK = {"name": "sk", "groups": 1, "narrowest": 8, "split": True}
#: (source, block that its tables name)
BLOCKS = [
    ("anas", lambda: get_model("anas_resnet20", 4)),
    ("anas", lambda: get_model("se_cifar_resnet20", 4)),
    ("att-darts", lambda: get_model("darts_cifar", 4, genotype=cell_genotype("Att_DARTS"), channels=4, layers=3)),
    ("att-darts", lambda: get_attention("bam", 16)),
    ("att-darts", lambda: get_attention("cbam", 16)),
    ("att-darts", lambda: get_attention("ge_theta_plus", 16, spatial=6)),
    ("ean", lambda: get_model("dia_fbresnet50", 4)),
    ("ean", lambda: get_model("se_fbresnet50", 4)),
    ("ecanet", lambda: get_model("eca_mobilenet_v2", 4)),
    ("ecanet", lambda: get_model("cifar_resnet20_a", 4, attention="triplet")),
    ("echo", lambda: get_attention("bam", 16)),
    ("gluoncv", lambda: get_model("mobilenet_v2", 4)),
    ("gluoncv", lambda: get_model("resnet18_v1", 4, attention={"name": "se", "bias": False})),
    ("open-atac", lambda: get_model("atac_cifar_resnet", 4, blocks=1)),
    ("timm", lambda: get_model("resnet18_v1b", 4, attention="cbam")),
    (
        "timm",
        lambda: get_model("resnet50_v1b", 4, attention={"name": "sk", "groups": 1, "narrowest": 8, "split": True}),
    ),
    ("torchvision", lambda: get_model("resnet18_v1b", 4)),
    *((source, lambda: get_model("mobilenet_v3_small", 4)) for source in ("gluoncv", "timm", "torchvision")),
    *((source, lambda: get_model("regnety_400mf", 4)) for source in ("timm", "torchvision")),
]


def classes(base=HybridBlock):
    """All classes that inherit from a block, of every module of the package."""
    for found in base.__subclasses__():
        yield found
        yield from classes(found)


@pytest.fixture(scope="module")
def own():
    """The classes of the package with a `reference_key` of their own."""
    for module in pkgutil.walk_packages(gluon_attn.__path__, "gluon_attn."):
        if module.name.split(".")[1] in ("attention", "models", "nn", "search"):
            importlib.import_module(module.name)
    found = {cls for cls in classes() if cls.__module__.startswith("gluon_attn.")}
    return [cls for cls in found if "reference_key" in vars(cls)]


def test_a_key_belongs_to_one_class(own):
    assert [key for key, count in Counter(cls.reference_key for cls in own).items() if count > 1] == []


@pytest.mark.parametrize("source", sources())
def test_every_key_of_a_table_belongs_to_a_class(own, source):
    assert set(find_name_map(source).tables) <= {cls.reference_key for cls in own}


@pytest.mark.parametrize(("source", "make"), BLOCKS, ids=[source for source, _ in BLOCKS])
def test_classes_may_be_renamed_and_inherited_from(source, make):
    block = make()
    wanted = reference_names(block, source)
    assert source == "torchvision" or set(wanted) != set(wanted.values())  # the tables are in use
    with renamed({type(part) for part in parts(block)}):
        assert reference_names(block, source) == wanted
    for part in parts(block):
        part.__class__ = type("Heir", (type(part),), {})
    assert reference_names(block, source) == wanted


@contextlib.contextmanager
def renamed(kinds):
    """A context in which the classes have other names."""
    names = {kind: kind.__name__ for kind in kinds}
    try:
        for kind in kinds:
            kind.__name__ = "Renamed"
        yield
    finally:
        for kind, name in names.items():
            kind.__name__ = name


def parts(block):
    """The block and all blocks below it."""
    return [block, *(part for child in block._children.values() for part in parts(child))]
