"""A traced graph in fewer bits or fused, by MXNet itself: bfloat16 by its AMP, int8 by its oneDNN quantization."""

import contextlib
import dataclasses
import io
import os
import sys
import threading
import warnings
from collections.abc import Iterator

import mxnet as mx
import numpy as np
from mxnet.contrib import amp

from ..engine.layouts import mixed_precision
from ..nn.symbol_graph import SymbolGraph
from ..utils.log import without_root_messages
from ..utils.progress import Progress
from . import int8_exclusions, onednn_sum_fix
from .graph import INPUT, Graph

CALIBRATIONS = ("naive", "entropy")
_FUSION, _QUANTIZED_FUSION = "MKLDNN", "MKLDNN_QUANTIZE"
_BATCH = 8  # images per pass of a calibration
#: AMP leaves the first two alone, and their inputs must have one dtype; of convolutions and dense layers that are
#: already fused for oneDNN it knows no bfloat16
_IN_BFLOAT16 = ["Concat", "concat", "_sg_mkldnn_conv", "_sg_mkldnn_fully_connected"]
#: operators that MXNet would quantize and that apply gates
_PRODUCTS = ["elemwise_mul", "broadcast_mul"]
#: stderr is the whole process's: a second thread that drops messages would take the first one's for it
_quiet_thread = threading.RLock()


def to_bfloat16(graph: Graph) -> Graph:
    """Cast `graph` to bfloat16 where MXNet's lists for mixed precision allow it, with the weights that it reads so."""
    with quiet():
        nodes = SymbolGraph.read(mixed_precision(graph.symbol, "bfloat16", _IN_BFLOAT16))
    tensors = graph.tensors
    casts = [node for node in nodes.nodes if node.op == "amp_cast" and node.attrs["dtype"] == "bfloat16"]
    weights = {cast: cast.source(0) for cast in casts if cast.source(0).name in graph.args}
    weights = {cast: weight for cast, weight in weights.items() if nodes.uses(weight) == 1}
    nodes.replace(weights)
    for weight in weights.values():
        tensors[weight.name] = mx.nd.amp_cast(tensors[weight.name], dtype=amp.amp.bfloat16)
        weight.attrs["__dtype__"] = "12"  # MXNet's number for bfloat16
    return graph.edited(nodes, tensors)


def fuse_for_onednn(graph: Graph) -> Graph:
    """Fuse each convolution of `graph` with the sum and activation after it for oneDNN, by `Symbol.optimize_for`."""
    graph = onednn_sum_fix.keep_sums_apart(graph)
    tensors = dict(graph.args), dict(graph.aux)
    with quiet():
        return dataclasses.replace(graph, symbol=graph.symbol.optimize_for(_FUSION, *tensors, skip_infer=True))


def to_int8(graph: Graph, inputs: np.ndarray, calibration: str = "naive") -> Graph:
    """Quantize a graph to int8 for oneDNN; gates and softmax stay in float.

    Args:
        graph: A float32 graph without batch norms.
        inputs: Inputs of the graph to calibrate with, N first.
        calibration: Quantization ranges from the extremes ("naive") or by the least divergence of the distributions
            ("entropy", MXNet's way for networks with outliers; it takes minutes).
    """
    from mxnet.contrib import quantization

    graph = onednn_sum_fix.keep_sums_apart(graph, int8=True)
    count = len(inputs) // _BATCH * _BATCH or len(inputs)
    data = mx.io.NDArrayIter({INPUT: inputs[:count]}, batch_size=min(_BATCH, count))
    with Progress(f"calibrating int8 with {count} images"), quiet():
        fused = graph.symbol.get_backend_symbol(_QUANTIZED_FUSION)
        result, args, aux = quantization.quantize_model(
            fused, graph.args, graph.aux,
            data_names=(INPUT,), label_names=None, calib_data=data, calib_mode=calibration,
            excluded_sym_names=sorted(int8_exclusions.excluded_in_symbol(fused)), excluded_op_names=_PRODUCTS,
            quantized_dtype="auto", quantize_mode="smart", quantize_granularity="channel-wise",
        )  # fmt: skip
        result = result.get_backend_symbol(_QUANTIZED_FUSION)
    return dataclasses.replace(graph, symbol=result, args=args, aux=aux)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without MXNet's messages: C++ reports on stderr each operator that it leaves alone, Python warns of casts."""
    with (
        _quiet_thread, warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _no_stderr(),
        without_root_messages(),
    ):  # fmt: skip
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _no_stderr() -> Iterator[None]:
    """Drop what is written to file descriptor 2, but not to Python's stderr where that writes there: a log goes on."""
    with open(os.dup(2), "w", encoding="utf-8", errors="backslashreplace") as kept, open(os.devnull, "wb") as nowhere:
        own = contextlib.redirect_stderr(kept) if sys.stderr is sys.__stderr__ else contextlib.nullcontext()
        os.dup2(nowhere.fileno(), 2)
        try:
            with own:
                yield
        finally:
            kept.flush()
            os.dup2(kept.fileno(), 2)
