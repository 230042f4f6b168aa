"""A network's graph for one image: every operator with its shapes, and the blocks that it belongs to."""

import contextlib
import json
from dataclasses import dataclass, field

import mxnet as mx

from ..nn import fast
from ..utils.errors import UserError

INPUT = "data"
_PATH = "__path__"


@dataclass(frozen=True)
class Node:
    """One use of an operator. `inputs` and `outputs` are shapes; `tensors` names the inputs that are weights.

    `path` holds the attribute names of the blocks around it, outermost first.
    """

    op: str
    name: str
    path: tuple
    attrs: dict
    inputs: tuple
    outputs: tuple
    tensors: tuple


@dataclass(frozen=True)
class Tensor:
    """A weight: `kind` is "learnable", "fixed" (never trained) or "statistics" (running mean, variance)."""

    name: str
    shape: tuple
    kind: str


@dataclass(frozen=True)
class Read:
    """Nodes in order of execution, tensors by name, paths of the blocks that are of the class asked for."""

    nodes: list
    tensors: dict
    marked: set = field(default_factory=set)


def read_graph(net, input_shape, mark=()):
    """The `Read` of a `HybridBlock` (weights or none) or a `Symbol` with the input `data`, for a batch of one image.

    A network is traced with plain operators, so that no helper of a fast formulation counts as work. mark: classes of
    blocks whose paths are wanted. A shape that does not fit is a `UserError`.
    """
    if isinstance(net, mx.sym.Symbol):
        symbol, prefix, fixed, marked = net, "", None, set()
    else:
        parameters = net.collect_params()
        symbol, marked = _trace(net, parameters, mark)
        prefix = net.prefix
        fixed = {name for name, parameter in parameters.items() if not parameter._differentiable}
    entries = json.loads(symbol.tojson())["nodes"]
    shapes = _shapes(entries, symbol, input_shape)
    nodes = [_node(entry, entries, shapes[i], shapes, prefix) for i, entry in enumerate(entries) if _is_work(entry)]
    return Read(nodes, _tensors(symbol, entries, shapes, fixed), marked)


def _is_work(entry):
    return entry["op"] != "null"


def _trace(net, parameters, mark):
    """(symbol whose operators carry their block's path, paths of the marked blocks)."""
    for parameter in parameters.values():
        parameter.var()  # made and kept here: inside it would keep the path of a block
    handles, open_scopes, marked = [], [], set()

    def visit(block, path, seen):
        if id(block) in seen:
            return
        seen.add(id(block))
        if isinstance(block, mark):
            marked.add(path)

        def enter(*_):
            scope = mx.AttrScope(**{_PATH: "/".join(path)})
            scope.__enter__()
            open_scopes.append(scope)

        def leave(*_):
            open_scopes.pop().__exit__(None, None, None)

        handles.extend((block.register_forward_pre_hook(enter), block.register_forward_hook(leave)))
        for name, child in block._children.items():
            visit(child, (*path, name), seen)

    visit(net, (), set())
    try:
        with fast.plain_operators():
            return _one_output(net(mx.sym.var(INPUT))), marked
    finally:
        with contextlib.ExitStack() as stack:
            for handle in handles:
                stack.callback(handle.detach)
        while open_scopes:
            open_scopes.pop().__exit__(None, None, None)


def _one_output(output):
    return output if isinstance(output, mx.sym.Symbol) else mx.sym.Group(output)


def _shapes(entries, symbol, input_shape):
    """Shapes of the outputs of each entry, by its position."""
    graph = json.loads(symbol.tojson())
    for i, entry in enumerate(graph["nodes"]):
        if _is_work(entry):  # names need not be unique, and outputs are told apart by them
            entry["name"] = f"operator {i}"
    internals = mx.sym.load_json(json.dumps(graph)).get_internals()
    try:
        found = internals.infer_shape(**{INPUT: (1, *input_shape)})[1]
    except mx.MXNetError as error:
        reason = str(error).strip().splitlines()[-1]
        raise UserError(f"the network does not take an input of shape {tuple(input_shape)}: {reason}") from None
    if found is None:
        raise UserError("the shapes of this network do not follow from its input")
    by_name = {}
    for output, shape in zip(internals, found, strict=True):
        by_name.setdefault(output.name, []).append(shape)
    return [tuple(by_name[entry["name"]]) for entry in graph["nodes"]]


def _node(entry, entries, outputs, shapes, prefix):
    attrs = dict(entry.get("attrs", {}))
    path = tuple(part for part in attrs.pop(_PATH, "").split("/") if part)
    sources = [entries[i] for i, *_ in entry["inputs"]]
    return Node(
        op=entry["op"],
        name=entry["name"].removeprefix(prefix),
        path=path,
        attrs=attrs,
        inputs=tuple(shapes[i][k] for i, k, *_ in entry["inputs"]),
        outputs=outputs,
        tensors=tuple(s["name"] for s in sources if not _is_work(s) and s["name"] != INPUT),
    )


def _tensors(symbol, entries, shapes, fixed):
    """Name -> `Tensor`. fixed: names of tensors that are not trained; None: those that the graph itself tells."""
    statistics = set(symbol.list_auxiliary_states())
    if fixed is None:
        norms = [e for e in entries if e["op"] == "BatchNorm" and e.get("attrs", {}).get("fix_gamma") != "False"]
        fixed = {entries[norm["inputs"][1][0]]["name"] for norm in norms}
    tensors = {}
    for entry, shape in zip(entries, shapes, strict=True):
        name = entry["name"]
        if not _is_work(entry) and name != INPUT:
            kind = "statistics" if name in statistics else "fixed" if name in fixed else "learnable"
            tensors[name] = Tensor(name, shape[0], kind)
    return tensors
