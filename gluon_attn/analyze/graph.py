"""A network's graph for one image: every operator with its shapes, and the blocks that it belongs to."""

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import mxnet as mx

from ..nn.symbol_graph import Node, SymbolGraph, grouped
from ..utils.errors import UserError, engine_reason
from .block_paths import INPUT, PATH, trace_with_paths

Shape = tuple[int, ...]


@dataclass(frozen=True)
class GraphNode:
    """One use of an operator.

    Attributes:
        op: Name of the operator.
        name: Name of the node, without the network's prefix.
        path: Attribute names of the blocks around it, outermost first.
        attrs: Attributes of the operator; all values are text.
        inputs: Shapes of its inputs.
        outputs: Shapes of its outputs.
        tensors: Names of the inputs that are weights.
    """

    op: str
    name: str
    path: tuple[str, ...]
    attrs: dict[str, str]
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    tensors: tuple[str, ...]


@dataclass(frozen=True)
class Tensor:
    """A weight.

    Attributes:
        name: Its name in the graph.
        shape: Its shape.
        kind: "learnable", "fixed" (never trained) or "statistics" (running mean, running variance).
    """

    name: str
    shape: Shape
    kind: str


@dataclass(frozen=True)
class NetworkGraph:
    """The graph of a network.

    Attributes:
        nodes: The operators in order of execution.
        tensors: The weights by name.
        marked: Paths of the blocks that are of the class asked for.
    """

    nodes: list[GraphNode]
    tensors: dict[str, Tensor]
    marked: set[tuple[str, ...]] = field(default_factory=set)


def read_graph(
    net: mx.gluon.HybridBlock | mx.sym.Symbol,
    input_shape: Sequence[int] | Mapping[str, Sequence[int]],
    mark: type | tuple[type, ...] = (),
) -> NetworkGraph:
    """Read the graph of a network for a batch of one image.

    A network is traced with plain operators, so that no helper of a fast formulation counts as work.

    Args:
        net: A network, initialized or not, or a symbol with the input `data`.
        input_shape: Shape of one image; or name -> shape of each input in order, the first axis included.
        mark: Classes of blocks whose paths are wanted.

    Raises:
        UserError: The input shape does not fit.
    """
    inputs = input_shape if isinstance(input_shape, Mapping) else {INPUT: (1, *input_shape)}
    fixed: set[str] | None = None
    marked: set[tuple[str, ...]] = set()
    if isinstance(net, mx.sym.Symbol):
        symbol, prefix = net, ""
    else:
        parameters = net.collect_params()
        symbol, marked = trace_with_paths(net, parameters, mark, list(inputs))
        prefix = net.prefix
        fixed = {name for name, parameter in parameters.items() if not parameter._differentiable}
    entries = SymbolGraph.read(symbol).nodes
    shapes = _shapes(symbol, inputs)
    by_node = dict(zip(entries, shapes, strict=True))
    nodes = [_node(entry, by_node, prefix, inputs) for entry in entries if not entry.is_variable]
    return NetworkGraph(nodes, _tensors(symbol, by_node, fixed, inputs), marked)


def check_input(net: mx.gluon.HybridBlock, shape: Sequence[int]) -> None:
    """Check that a network takes images of a shape, without computing anything.

    Args:
        net: The network, initialized or not.
        shape: Of one image.

    Raises:
        UserError: It does not.
    """
    _shapes(grouped(net(mx.sym.var(INPUT))), {INPUT: (1, *shape)})


def _shapes(symbol: mx.sym.Symbol, inputs: Mapping[str, Sequence[int]]) -> list[tuple[Shape, ...]]:
    """Shapes of the outputs of each node."""
    graph = SymbolGraph.read(symbol)
    for number, node in enumerate(graph.nodes):
        if not node.is_variable:  # names need not be unique, and outputs are found by them
            node.name = f"operator {number}"
    internals = graph.to_symbol().get_internals()
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # which MXNet prints the arguments of an error to
            found = internals.infer_shape(**{name: tuple(shape) for name, shape in inputs.items()})[1]
    except mx.MXNetError as error:
        shape = tuple(next(iter(inputs.values())))[1:]
        raise UserError(f"the network does not take an input of shape {shape}: {engine_reason(error)}") from None
    if found is None:
        raise UserError("the shapes of this network do not follow from its input")
    by_name: dict[str, list[Shape]] = {}
    for output, shape in zip(internals, found, strict=True):
        by_name.setdefault(output.name, []).append(shape)
    return [tuple(by_name[node.name]) for node in graph.nodes]


def _node(
    entry: Node, shapes: dict[Node, tuple[Shape, ...]], prefix: str, inputs: Mapping[str, Sequence[int]]
) -> GraphNode:
    attrs = dict(entry.attrs)
    path = tuple(part for part in attrs.pop(PATH, "").split("/") if part)
    sources = [source.node for source in entry.inputs]
    return GraphNode(
        op=entry.op,
        name=entry.name.removeprefix(prefix),
        path=path,
        attrs=attrs,
        inputs=tuple(shapes[source.node][source.number] for source in entry.inputs),
        outputs=shapes[entry],
        tensors=tuple(source.name for source in sources if source.is_variable and source.name not in inputs),
    )


def _tensors(
    symbol: mx.sym.Symbol,
    shapes: dict[Node, tuple[Shape, ...]],
    fixed: set[str] | None,
    inputs: Mapping[str, Sequence[int]],
) -> dict[str, Tensor]:
    """Name -> `Tensor`. fixed: names of tensors that are not trained; None: those that the graph itself names."""
    statistics = set(symbol.list_auxiliary_states())
    if fixed is None:
        norms = [node for node in shapes if node.op == "BatchNorm" and node.attrs.get("fix_gamma") != "False"]
        fixed = {norm.source(1).name for norm in norms}
    tensors = {}
    for node, (shape, *_) in shapes.items():
        if node.is_variable and node.name not in inputs:
            kind = "statistics" if node.name in statistics else "fixed" if node.name in fixed else "learnable"
            tensors[node.name] = Tensor(node.name, shape, kind)
    return tensors
