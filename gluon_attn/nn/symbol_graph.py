"""Edit the graph of an MXNet symbol: its JSON form as nodes that can be inserted, replaced and renamed.

MXNet 1.9.1 has no interface to change a `Symbol`; its JSON (`Symbol.tojson`, `mx.sym.load_json`) is the way in. Nodes
that no head depends on are dropped when the symbol is built. Versions, which count how often a network was traced, are
dropped as well.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import mxnet as mx

VARIABLE = "null"


@dataclass(eq=False)
class Node:
    """A variable or one use of an operator.

    Attributes:
        op: Name of the operator, "null" for a variable.
        name: Name of the node.
        attrs: Attributes of the operator; all values are text.
        inputs: What it reads; `SymbolGraph.connect` changes them.
        subgraphs: Graphs of the operators that a backend such as oneDNN fused into this one.
    """

    op: str
    name: str
    attrs: dict[str, str] = field(default_factory=dict)
    inputs: tuple["Output", ...] = ()
    subgraphs: tuple["SymbolGraph", ...] = ()

    @property
    def is_variable(self) -> bool:
        """Whether it is an input or a parameter and not an operator."""
        return self.op == VARIABLE

    @property
    def is_compiled(self) -> bool:
        """Whether it is a use of one of this library's compiled operators."""
        return self.op.startswith("gluon_attn_")

    def source(self, position: int) -> "Node":
        """The node that its input number `position` reads."""
        return self.inputs[position].node


class Output(NamedTuple):
    """One output of a node."""

    node: Node
    number: int = 0


class SymbolGraph:
    """The nodes of a symbol, in an order in which each one comes after those it reads.

    Args:
        data: the graph in MXNet's JSON form, parsed.

    Attributes:
        nodes: all nodes.
        heads: outputs of the graph.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        nodes = []
        for entry in data["nodes"]:
            subgraphs = tuple(SymbolGraph(inner) for inner in entry.get("subgraphs", ()))
            nodes.append(Node(entry["op"], entry["name"], dict(entry.get("attrs", {})), (), subgraphs))
        self.nodes: list[Node] = nodes
        self._readers: dict[Node, list[Node]] = {node: [] for node in nodes}
        for node, entry in zip(nodes, data["nodes"], strict=True):
            self.connect(node, [Output(nodes[number], index) for number, index, *_ in entry["inputs"]])
        self.heads = [Output(nodes[number], index) for number, index, *_ in data["heads"]]
        self._other = {key: value for key, value in data.items() if key not in ("nodes", "heads")}

    @classmethod
    def read(cls, symbol: mx.sym.Symbol) -> "SymbolGraph":
        """The graph of a symbol, with the casts of mixed precision."""
        return cls(json.loads(symbol.tojson(remove_amp_cast=False)))

    def readers(self, node: Node) -> list[Node]:
        """The nodes that read any output of `node`, one of them once for each input that does."""
        return list(self._readers[node])

    def uses(self, node: Node) -> int:
        """How many inputs and heads read `node`."""
        return len(self._readers[node]) + sum(head.node is node for head in self.heads)

    def connect(self, node: Node, inputs: Iterable[Output]) -> None:
        """Let `node` read `inputs` instead of what it reads."""
        for source in node.inputs:
            self._readers[source.node].remove(node)
        node.inputs = tuple(inputs)
        for source in node.inputs:
            self._readers[source.node].append(node)

    def insert_before(
        self, node: Node, position: int, op: str, attrs: Mapping[str, str], name: str | None = None
    ) -> Node:
        """Insert an operator with one input between `node` and its input number `position`.

        Args:
            node: the node that reads the new one.
            position: number of that input.
            op: MXNet's name of the operator.
            attrs: its parameters, as text.
            name: of the new node (default: that of the node it reads, "_in" and its number).

        Returns:
            The new node.
        """
        number = self.nodes.index(node)
        inputs = list(node.inputs)
        made = self._insert(number, op, attrs, inputs[position], name or f"{node.source(position).name}_in{number}")
        inputs[position] = Output(made)
        self.connect(node, inputs)
        return made

    def insert_after(self, node: Node, op: str, attrs: Mapping[str, str], name: str | None = None) -> Node:
        """Insert an operator after the first output of `node`: the readers of that output read the new one instead.

        Args:
            node: the node that the new one reads.
            op: MXNet's name of the operator.
            attrs: its parameters, as text.
            name: of the new node (default: that of `node`, "_out" and its number).

        Returns:
            The new node.
        """
        number = self.nodes.index(node) + 1
        readers = dict.fromkeys(self._readers[node])
        made = self._insert(number, op, attrs, Output(node), name or f"{node.name}_out{number}")

        def redirected(source: Output) -> Output:
            return Output(made) if source.node is node and source.number == 0 else source

        for reader in readers:
            self.connect(reader, map(redirected, reader.inputs))
        self.heads = list(map(redirected, self.heads))
        return made

    def _insert(self, number: int, op: str, attrs: Mapping[str, str], source: Output, name: str) -> Node:
        return self._add(number, Node(op, name, dict(attrs)), [source])

    def _add(self, number: int, node: Node, inputs: Iterable[Output]) -> Node:
        self.nodes.insert(number, node)
        self._readers[node] = []
        self.connect(node, inputs)
        return node

    def substitute(self, node: Node, form: mx.sym.Symbol, inputs: Mapping[str, Output]) -> None:
        """Compute the first output of a node by another graph.

        Args:
            node: nothing reads it afterwards.
            form: a graph of one output.
            inputs: what its variables stand for, by name.
        """
        part = SymbolGraph.read(form)
        made: dict[Node, Node] = {}
        for inner in part.nodes:
            if inner.is_variable:
                continue
            sources = [
                inputs[source.node.name] if source.node.is_variable else source._replace(node=made[source.node])
                for source in inner.inputs
            ]
            new = Node(inner.op, f"{node.name}_{inner.name}", inner.attrs)
            made[inner] = self._add(self.nodes.index(node), new, sources)
        self.replace({node: made[part.heads[0].node]})

    def insert_with_variables(self, before: Node, node: Node, inputs: Iterable[Output]) -> Node:
        """Insert a new node before another one, and all variables that it reads before them.

        Args:
            before: a node.
            node: the new one.
            inputs: what it reads: variables, and outputs of nodes that come before `before`.

        Returns:
            The new node.
        """
        inputs = list(inputs)
        variables = dict.fromkeys(source.node for source in inputs if source.node.is_variable)
        self.nodes = [*variables, *(other for other in self.nodes if other not in variables)]
        return self._add(self.nodes.index(before), node, inputs)

    def replace(self, replacements: Mapping[Node, Node]) -> None:
        """Let all that read a key read the same output of its value instead; values are not replaced again."""
        read = {source for node in self.nodes for source in node.inputs}.union(self.heads)
        self.redirect({old: old._replace(node=replacements[old.node]) for old in read if old.node in replacements})

    def redirect(self, replacements: Mapping[Output, Output]) -> None:
        """Let all that read a key read its value instead; values are not replaced again."""
        for node in self.nodes:
            if any(source in replacements for source in node.inputs):
                self.connect(node, [replacements.get(source, source) for source in node.inputs])
        self.heads = [replacements.get(source, source) for source in self.heads]

    def rename(self, new_name: Callable[[str], str]) -> dict[str, str]:
        """Give every node the name `new_name(its name)`; where another node has that one, with .1, .2, ... after it.

        Returns:
            Old name of each variable -> its new one.
        """
        taken: set[str] = set()
        renamed = {}
        for node in self.nodes:
            short = name = new_name(node.name)
            count = 0
            while name in taken:
                count += 1
                name = f"{short}.{count}"
            taken.add(name)
            if node.is_variable:
                renamed[node.name] = name
            node.name = name
        return renamed

    def to_dict(self) -> dict[str, Any]:
        """MXNet's JSON form."""
        numbers = {node: number for number, node in enumerate(self.nodes)}

        def entries(outputs: Iterable[Output]) -> list[list[int]]:
            return [[numbers[output.node], output.number, 0] for output in outputs]

        nodes = []
        for node in self.nodes:
            entry: dict[str, Any] = {"op": node.op, "name": node.name, "inputs": entries(node.inputs)}
            if node.attrs:
                entry["attrs"] = node.attrs
            if node.subgraphs:
                entry["subgraphs"] = [graph.to_dict() for graph in node.subgraphs]
            nodes.append(entry)
        variables = [number for number, node in enumerate(self.nodes) if node.is_variable]
        pointers = list(range(len(nodes) + 1))
        return {**self._other, "nodes": nodes, "arg_nodes": variables, "node_row_ptr": pointers,
                "heads": entries(self.heads)}  # fmt: skip

    def to_symbol(self) -> mx.sym.Symbol:
        """The symbol with these nodes."""
        return mx.sym.load_json(json.dumps(self.to_dict()))


def grouped(outputs: Any) -> Any:
    """Several outputs of a network, a list or tuple of symbols, as one symbol; anything else as it is."""
    return mx.sym.Group(list(outputs)) if isinstance(outputs, list | tuple) else outputs
