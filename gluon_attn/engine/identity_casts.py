"""Casts that change no number: MXNet 1.9.1 copies the array in each of them, and its gradient, too.

Attention computes statistics in float32 whatever the dtype of the network, see `nn/float32_stats.py`; in a float32
network these casts have nothing to do. In mixed precision a map may be cast for a compiled operator and again by AMP.
"""

from collections.abc import Mapping, Sequence

import mxnet as mx
import numpy as np

from ..nn.symbol_graph import Output, SymbolGraph

#: the usual operator, and that of automatic mixed precision (AMP)
_CASTS = ("Cast", "amp_cast")


def without_identity_casts(symbol: mx.sym.Symbol, params: Mapping[str, mx.gluon.Parameter]) -> mx.sym.Symbol:
    """Leave out casts to the dtype that an array has already.

    Args:
        symbol: the graph of a network whose inputs are float32.
        params: parameters of the network by name.

    Returns:
        The new graph; the graph itself if there is no such cast.
    """
    graph = SymbolGraph.read(symbol)
    heads = {head.node for head in graph.heads}
    casts = [node for node in graph.nodes if node.op in _CASTS and node not in heads]
    dtypes = _dtypes(symbol, params, [graph.nodes.index(cast) for cast in casts]) if casts else []
    sources: dict[Output, Output] = {}
    for cast, dtype in zip(casts, dtypes, strict=True):
        if dtype == cast.attrs["dtype"]:
            source = cast.inputs[0]
            sources[Output(cast)] = sources.get(source, source)
    graph.redirect(sources)
    return graph.to_symbol() if sources else symbol


def _dtypes(
    symbol: mx.sym.Symbol, params: Mapping[str, mx.gluon.Parameter], readers: Sequence[int]
) -> list[str | None]:
    """The dtypes of what the nodes at these positions read first; None where the graph does not tell."""
    part = SymbolGraph.read(symbol)
    part.heads = [part.nodes[position].inputs[0] for position in readers]
    inner = part.to_symbol()
    known = {name: params[name].dtype if name in params else "float32" for name in inner.list_inputs()}
    found = inner.infer_type_partial(**known)[1]
    return [None if dtype is None else _name(np.dtype(dtype)) for dtype in found]


def _name(dtype: np.dtype) -> str:
    return dtype.names[0] if dtype.names else dtype.name  # MXNet's bfloat16 is a structure of one field
