"""Mixed-precision graphs that run fast on a CPU: the operators that are inserted into the network's graph for that."""

from collections.abc import Iterable

import mxnet as mx

from ..nn import kernels
from ..nn.symbol_graph import Node, Output, SymbolGraph

#: compiled operators whose output is a feature map, which stays in low precision; others give statistics
_MAPS = {
    f"gluon_attn_{name}"
    for name in (
        "gate", "shift", "cross_gate", "sge", "sigmoid_gate", "avg_pool", "grouped", "pointwise", "separable",
        "halving", "batch_norm", "weighted_sum", "swish", "hard_swish", "shuffle", "simam", "map_of_blocks",
    )
}  # fmt: skip
#: a compiled operator that takes and gives maps in bfloat16; to others float32 comes faster out of blocks of channels
_BFLOAT16_GATE = "gluon_attn_sigmoid_gate"
#: operators that AMP leaves in bfloat16, where MXNet computes number by number; oneDNN has activations of the names
_ACTIVATIONS = ("relu", "tanh")
#: such operators that are faster in float32, casts included
_FASTER_IN_FLOAT32 = ("abs", "clip", "sqrt", "square")


def mixed_precision(
    symbol: mx.sym.Symbol,
    dtype: str,
    low_precision_ops: Iterable[str] = (),
    images_in_float32: bool = False,
    training: bool = False,
) -> mx.sym.Symbol:
    """Cast the operators of a float32 graph after MXNet's lists for automatic mixed precision (AMP).

    Args:
        symbol: The graph. Its parameters stay float32.
        dtype: "bfloat16" or "float16".
        low_precision_ops: Operators that compute in `dtype` although the lists leave them alone or in float32.
        images_in_float32: Whether convolutions that read an input of the network, and the norms behind them, stay in
            float32. Without AMX oneDNN computes them in bfloat16 in plain memory, not in blocks of channels, since an
            image has few, and the norm falls to a reference kernel.
        training: Whether gradients are computed: maps of gates are copied for theirs.
    """
    from mxnet.contrib import amp

    kind = amp.amp.bfloat16 if dtype == "bfloat16" else dtype
    lists = [*amp.list_lp16_ops(kind), *low_precision_ops]
    single = [op for op in amp.list_fp32_ops(kind) if op not in lists]
    graph = SymbolGraph.read(symbol)
    if dtype == "bfloat16":
        single += _FASTER_IN_FLOAT32
        _use_activations(graph)
    _cast_around_kernels(graph, dtype, training)
    excluded = _cast_behind_images(graph, dtype) if images_in_float32 else []
    return amp.convert_symbol(
        graph.to_symbol(), target_dtype=dtype, target_dtype_ops=lists, fp32_ops=single, excluded_sym_names=excluded
    )


def _use_activations(graph: SymbolGraph) -> None:
    """Compute operators by oneDNN's activations; relu6, a clip, by its ReLU and a minimum in float32."""
    for node in list(graph.nodes):
        if node.op == "clip" and float(node.attrs["a_min"]) == 0:
            graph.insert_after(node, "_minimum_scalar", {"scalar": node.attrs["a_max"]})
            node.op, node.attrs = "Activation", {"act_type": "relu"}
        elif node.op in _ACTIVATIONS:
            node.attrs, node.op = {"act_type": node.op}, "Activation"


def _cast_behind_images(graph: SymbolGraph, dtype: str) -> list[str]:
    """Insert casts to `dtype` behind the convolutions that read an input, and their norms; the convolutions' names."""
    found = [node for node in graph.nodes if node.op == "Convolution" and node.source(0).is_variable]
    for node in found:
        readers = graph.readers(node)
        norm = readers[0] if len(readers) == 1 and readers[0].op == "BatchNorm" else None
        graph.insert_after(norm or node, "amp_cast", {"dtype": dtype})
    return [node.name for node in found]


def _cast_around_kernels(graph: SymbolGraph, dtype: str, training: bool) -> None:
    """Insert casts from `dtype` to float32 before compiled operators, which compute in float32, and back after them.

    A `_BFLOAT16_GATE` computes in bfloat16 between operators that do; its logits come as they are.
    """
    for node in list(graph.nodes):
        # what computes next in float32 takes the map as it is: norms of plain memory, too, which are slow in bfloat16
        readers = graph.readers(node)
        stays = readers and all(reader.is_compiled or reader.op == "BatchNorm" for reader in readers)
        if dtype == "bfloat16" and not stays and _computes_in_bfloat16(node):
            fork = _fork(graph, node) if training else None
            graph.insert_before(fork or node, 0, "amp_cast", {"dtype": dtype})
            continue
        for position, source in enumerate(node.inputs if node.is_compiled else ()):
            if not source.node.is_variable:
                graph.insert_before(node, position, "amp_cast", {"dtype": "float32"})
        if node.op in _MAPS and not stays:
            graph.insert_after(node, "amp_cast", {"dtype": dtype})


def _computes_in_bfloat16(node: Node) -> bool:
    return node.op == _BFLOAT16_GATE and not node.source(0).is_variable and kernels.take_bfloat16()


def _fork(graph: SymbolGraph, gate: Node) -> Node | None:
    """Give a gate and the other readers of its map two copies of it, whose gradients one operator adds.

    Returns:
        The operator; None if nothing else reads the map.
    """
    source = gate.inputs[0]
    readers = dict.fromkeys(node for node in graph.readers(source.node) if source in node.inputs)
    if len(readers) == 1:
        return None
    first = next(node for node in graph.nodes if node in readers)
    fork = graph.insert_with_variables(first, Node("gluon_attn_fork", f"{gate.name}_fork"), [source])
    for node in readers:
        copy = Output(fork, int(node is not gate))
        graph.connect(node, [copy if one == source else one for one in node.inputs])
    return fork
