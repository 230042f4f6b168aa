"""A traced graph in fewer bits, by MXNet itself: bfloat16 by its mixed precision, int8 by its oneDNN quantisation."""

import contextlib
import dataclasses
import io
import json
import logging
import os
import statistics
import time
import warnings

import mxnet as mx

from . import int8_exclusions, onednn_sum_fix, symbol
from .graph import INPUT

CALIBRATIONS = ("naive", "entropy")
_FUSION, _QUANTIZED_FUSION = "MKLDNN", "MKLDNN_QUANTIZE"
_BATCH = 8  # images a pass, in calibration and timing
#: MXNet's mixed precision leaves these alone, and they want inputs of one type
_CONCATENATE = ["Concat", "concat"]
#: operators that MXNet would quantise and that apply gates
_PRODUCTS = ["elemwise_mul", "broadcast_mul"]


def mixed(graph):
    """The `Graph` in bfloat16 where MXNet's lists for mixed precision allow it; its weights stay float32."""
    from mxnet.contrib import amp

    lower = [*amp.list_lp16_ops(amp.amp.bfloat16), *_CONCATENATE]
    with _quiet():
        cast = amp.convert_symbol(graph.symbol, target_dtype="bfloat16", target_dtype_ops=lower)
    return dataclasses.replace(graph, symbol=cast)


def fused(graph):
    """The `Graph` with convolution, sum and activation as one operator of oneDNN, by `optimize_for`."""
    graph = onednn_sum_fix.unfused(graph)
    tensors = dict(graph.args), dict(graph.aux)
    with _quiet():
        return dataclasses.replace(graph, symbol=graph.symbol.optimize_for(_FUSION, *tensors, skip_infer=True))


def quantized(graph, images, calibration="naive"):
    """The `Graph` in int8, gates and softmax left in float.

    images: inputs of the graph to calibrate with, N first. calibration: ranges from the extremes ("naive") or by the
    smallest divergence of the distributions ("entropy", MXNet's way for networks with outliers, minutes).
    """
    from mxnet.contrib import quantization

    graph = onednn_sum_fix.unfused(graph, int8=True)
    count = len(images) // _BATCH * _BATCH or len(images)
    data = mx.io.NDArrayIter({INPUT: images[:count]}, batch_size=min(_BATCH, count))
    with _quiet():
        joined = graph.symbol.get_backend_symbol(_QUANTIZED_FUSION)
        result, args, aux = quantization.quantize_model(
            joined, graph.args, graph.aux,
            data_names=(INPUT,), label_names=None, calib_data=data, calib_mode=calibration,
            excluded_sym_names=sorted(int8_exclusions.of_symbol(joined) | _lines(joined)), excluded_op_names=_PRODUCTS,
            quantized_dtype="auto", quantize_mode="smart", quantize_granularity="channel-wise",
        )  # fmt: skip
        result = result.get_backend_symbol(_QUANTIZED_FUSION)
    return dataclasses.replace(graph, symbol=result, args=args, aux=aux)


def fastest(graphs, images):
    """The name of the `Graph` that takes the shortest time for a few images. graphs: name -> graph.

    One that MXNet cannot run is left out: its fusions break on some networks.
    """
    batch, seconds = mx.nd.array(images[:_BATCH], dtype=images.dtype), {}
    for name, graph in graphs.items():
        with contextlib.suppress(mx.MXNetError), _quiet():
            seconds[name] = statistics.median(_passes(symbol.block(graph), batch)[2:])
    return min(seconds, key=seconds.get)


def _passes(net, batch):
    """Seconds of each of five passes."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        net(batch).wait_to_read()
        times.append(time.perf_counter() - start)
    return times


def _lines(joined):
    """Names of convolutions over lines, which oneDNN's int8 has not."""
    nodes = json.loads(joined.tojson())["nodes"]
    return {node["name"] for node in nodes if node.get("attrs", {}).get("layout") in ("NCW", "NWC")}


@contextlib.contextmanager
def _quiet():
    """MXNet tells of each operator that it leaves alone, from C++ on stderr itself, and warns of what is meant."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _no_stderr():
        warnings.simplefilter("ignore")
        before = logging.root.level
        logging.root.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logging.root.setLevel(before)


@contextlib.contextmanager
def _no_stderr():
    """What is written to file descriptor 2 goes nowhere."""
    with open(os.dup(2), "wb") as kept, open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept.fileno(), 2)
