"""Batch norms in bfloat16 of feature maps in plain memory, where oneDNN's are not vectorized.

Without AMX oneDNN's convolutions of channels that are no multiple of 16 write such maps. Compiled operators compute
their norms; float32, the next best, is less slow than oneDNN's bfloat16.
"""

from collections.abc import Mapping
from typing import Any

import mxnet as mx

from ..nn import kernels
from ..nn.norm import compiled_batch_norm
from ..nn.symbol_graph import Node, SymbolGraph
from ..nn.tracing import compiled
from .norm_layouts import channel_block

_INPUTS = ("x", "gamma", "beta", "running_mean", "running_var")


def float32_after_odd_convolutions(symbol: mx.sym.Symbol, params: Mapping[str, mx.gluon.Parameter]) -> mx.sym.Symbol:
    """Let these normalizations compute in float32, except those that compiled operators compute in bfloat16.

    Args:
        symbol: the graph of a network, before the casts of mixed precision.
        params: parameters of the network by name.
    """
    graph = SymbolGraph.read(symbol)
    for node in _odd_norms(graph, params):
        # maps of 16, 32 ... channels are in blocks after all, and the cast brings them into plain memory faster
        in_blocks = params[node.source(1).name].shape[0] % 16 == 0
        if in_blocks or not (_can_compile(node, params) and kernels.take_bfloat16()):
            graph.insert_before(node, 0, "amp_cast", {"dtype": "float32"})
    return graph.to_symbol()


def compile_odd_norms(symbol: mx.sym.Symbol, params: Mapping[str, mx.gluon.Parameter]) -> mx.sym.Symbol:
    """Compute these normalizations by compiled operators, while a graph is traced with them.

    Args:
        symbol: the graph of a network, with the casts of mixed precision.
        params: parameters of the network by name.
    """
    graph = SymbolGraph.read(symbol)
    for node in _odd_norms(graph, params):
        compile_norm(graph, node, params)
    return graph.to_symbol()


def compile_norm(graph: SymbolGraph, node: Node, params: Mapping[str, mx.gluon.Parameter]) -> bool:
    """Let compiled operators compute a norm if they can; whether they do.

    Args:
        graph: a graph.
        node: a `BatchNorm` of it.
        params: parameters of the network by name.
    """
    possible = _can_compile(node, params)
    if possible:
        form = compiled_batch_norm(mx.sym, *map(mx.sym.var, _INPUTS), **_options(node))
        graph.substitute(node, form, dict(zip(_INPUTS, node.inputs, strict=True)))
    return possible


def _odd_norms(graph: SymbolGraph, params: Mapping[str, mx.gluon.Parameter]) -> list[Node]:
    return [node for node in graph.nodes if _is_odd(node, params)]


def _is_odd(node: Node, params: Mapping[str, mx.gluon.Parameter]) -> bool:
    if node.op != "BatchNorm":
        return False
    source = node.source(0).source(0) if node.source(0).op == "amp_cast" else node.source(0)
    return source.op == "Convolution" and channel_block(source, params) != 16


def _can_compile(node: Node, params: Mapping[str, mx.gluon.Parameter]) -> bool:
    if not compiled() or node.attrs.get("use_global_stats") == "True" or node.attrs.get("axis", "1") != "1":
        return False
    return all(params[node.source(i).name].grad_req != "add" for i in (1, 2))  # the operators cannot add


def _options(node: Node) -> dict[str, Any]:
    attrs = {"eps": "0.001", "momentum": "0.9", "fix_gamma": "True", **node.attrs}  # MXNet's defaults
    fix_gamma = attrs["fix_gamma"] == "True"
    return {"eps": float(attrs["eps"]), "momentum": float(attrs["momentum"]), "fix_gamma": fix_gamma}
