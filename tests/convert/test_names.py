"""From our tree to the names of a reference."""

from mxnet.gluon import HybridBlock, nn

from gluon_attn.convert.names import NameMap, parameter_names


class Leaf(HybridBlock):
    """One parameter of its own and a row of layers."""

    reference_key = "leaf"

    def __init__(self):
        super().__init__()
        self.scale = self.params.get("scale", shape=(1,))
        self.row = nn.HybridSequential()
        self.row.add(nn.Dense(2, in_units=3), nn.BatchNorm(in_channels=2))


class Tree(HybridBlock):
    reference_key = "tree"

    def __init__(self):
        super().__init__()
        self.left, self.right = Leaf(), nn.HybridSequential()
        self.right.add(Leaf())


class Younger(Leaf):
    reference_key = "younger"


class Keyless(Leaf):
    """Has the key of the class that it inherits from."""


def names(block, known=(), **tables):
    return parameter_names(block, NameMap(tables), frozenset(known))


def test_what_no_table_mentions_keeps_its_name_but_for_norms():
    found = names(Leaf())
    assert found["scale"] == "scale"
    assert found["row.0.weight"] == "row.0.weight"
    assert found["row.1.gamma"] == "row.1.weight"
    assert found["row.1.running_mean"] == "row.1.running_mean"
    assert parameter_names(Leaf(), NameMap({}, leaves={}))["row.1.gamma"] == "row.1.gamma"


def test_the_longest_path_counts():
    table = {"row": "a.b", "row.1": "norm", "row.1.beta": "shift", "scale": "s"}
    found = names(Leaf(), leaf=table)
    assert found["row.0.bias"] == "a.b.0.bias"
    assert found["row.1.gamma"] == "norm.weight"
    assert found["row.1.beta"] == "shift"
    assert found["scale"] == "s"


def test_tables_compose_along_the_tree_and_reach_subclasses():
    found = names(Tree(), tree={"right.0": "inner"}, leaf={"": "op", "row.0": "^.far"})
    assert found["left.scale"] == "left.op.scale"
    assert found["right.0.row.1.beta"] == "inner.op.row.1.bias"
    assert found["right.0.row.0.weight"] == "far.weight"
    assert names(Younger(), leaf={"": "op"})["scale"] == names(Keyless(), leaf={"": "op"})["scale"] == "op.scale"
    assert names(Younger(), leaf={"": "op"}, younger={})["scale"] == "scale"


def test_of_several_tables_that_which_the_weights_know():
    tables = [{"row": "first"}, {"row": "second"}]
    assert names(Leaf(), leaf=tables)["row.0.bias"] == "first.0.bias"
    assert names(Leaf(), ["second.0.bias"], leaf=tables)["row.0.bias"] == "second.0.bias"
    known = ["left.first.0.bias", "right.0.second.0.bias"]
    found = names(Tree(), known, leaf=tables)
    assert [found["left.row.0.bias"], found["right.0.row.0.bias"]] == known


def test_a_table_may_be_made_from_the_block():
    assert names(Leaf(), leaf=lambda block: {"row": f"of{len(block.row)}"})["row.0.bias"] == "of2.0.bias"


def test_names_of_classes_do_not_count():
    assert names(Leaf(), Leaf={"": "op"}, HybridSequential={"": "row"})["scale"] == "scale"
