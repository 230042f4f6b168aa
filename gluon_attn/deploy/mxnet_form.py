"""The graph that MXNet computes a network with: its formulations, in one precision, and the fastest of them here."""

import contextlib
import dataclasses
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mxnet as mx
import numpy as np

from ..engine.winograd import use_winograd
from ..nn.kernels import compiled_operators
from ..nn.tracing import inference_operators
from . import graph_edit, symbol
from .graph import Graph
from .precision import fuse_for_onednn, quiet, to_bfloat16, to_int8

BATCH = 8  # images per pass that is timed, at most


def graph_for_mxnet(
    kind: str,
    traced: Callable[..., Graph],
    inputs: np.ndarray | Sequence[np.ndarray],
    calibration: str = "naive",
    compiled: bool = False,
) -> Graph:
    """The graph that MXNet runs fastest in a precision.

    Args:
        kind: "float32", "float16" (weights), "bfloat16" or "int8".
        traced: Gives the network's graph; takes `plain` as `graph.trace` does.
        inputs: Inputs of the graph, N first: they are timed with, and int8 is calibrated with them.
        calibration: Quantization ranges of int8, one of `precision.CALIBRATIONS`.
        compiled: Whether compiled operators may compute gates, reductions and in float32 3x3 convolutions: only a
            process that loads this package has them.
    """
    with inference_operators():
        graphs = {"fast": traced(), "plain": traced(plain=True)}
        if compiled:
            with compiled_operators():
                graphs["compiled"] = traced()
    graphs = {name: graph_edit.norms_as_convolutions(graph_edit.fold_norms(graph)) for name, graph in graphs.items()}
    if compiled and kind == "float32":
        graphs |= _with_winograd(graphs["compiled"])
    if kind in ("float16", "int8"):
        graph = graphs[fastest_graph(graphs, inputs)]
        return to_int8(graph, np.asarray(inputs), calibration) if kind == "int8" else graph_edit.float16_weights(graph)
    forms = {
        (name, fused): fuse_for_onednn(graph) if fused else graph
        for (name, graph), fused in itertools.product(graphs.items(), (False, True))
    }
    if kind == "bfloat16":
        forms = {key: to_bfloat16(graph) for key, graph in forms.items()}
    return forms[fastest_graph(forms, inputs)]


def _with_winograd(graph: Graph) -> dict[str, Graph]:
    """The form of a graph with Winograd's method, by its name; empty if no convolution takes it."""
    shapes = {name: value.shape for name, value in graph.tensors.items()}
    with compiled_operators():
        changed = use_winograd(graph.symbol, shapes)
    return {} if changed is graph.symbol else {"winograd": dataclasses.replace(graph, symbol=changed)}


def fastest_graph(graphs: Mapping[Any, Graph], inputs: np.ndarray | Sequence[np.ndarray]) -> Any:
    """Measure graphs of the same network on a few inputs.

    Graphs that MXNet cannot run are left out: its fusions break some networks.

    Args:
        graphs: Key -> graph.
        inputs: Inputs of the graphs, N first, of which the first eight are used; of graphs with several inputs all of
            each.

    Returns:
        The key of the fastest graph.
    """
    given = [inputs[:BATCH]] if isinstance(inputs, np.ndarray) else inputs
    batch, seconds = [mx.nd.array(one, dtype=one.dtype) for one in given], {}
    for key, graph in graphs.items():
        with contextlib.suppress(mx.MXNetError), quiet():
            seconds[key] = min(_passes(symbol.block(graph), *batch)[2:])  # other work can only add
    return min(seconds, key=seconds.__getitem__)


def _passes(net: mx.gluon.Block, *batch: mx.nd.NDArray) -> list[float]:
    """Seconds of each of five passes."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        found = net(*batch)
        for one in found if isinstance(found, list | tuple) else [found]:
            one.wait_to_read()
        times.append(time.perf_counter() - start)
    return times
