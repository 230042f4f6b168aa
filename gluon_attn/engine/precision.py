"""The dtype of a run: what computes in training, and the operators it is traced with."""

import contextlib
from collections.abc import Sequence
from functools import partial
from typing import Any

import mxnet as mx
from mxnet.gluon import Block, HybridBlock

from ..nn.kernels import compiled_operators
from ..utils.errors import UserError
from ..utils.log import get_logger
from .devices import uses_amx
from .graph_form import GraphForm
from .identity_casts import without_identity_casts
from .joined_activations import join_activations
from .layouts import mixed_precision
from .norm_layouts import copy_after_narrow_norms, copy_between_layouts
from .odd_norms import compile_odd_norms, float32_after_odd_convolutions
from .plain_memory import stay_in_plain_memory
from .shared_maps import share_maps
from .unused_gradients import without_unused_gradients
from .winograd import use_winograd


def computing(net: HybridBlock, dtype: str, hybrid: bool = True) -> Any:
    """What runs in training and evaluation: float32 images -> float32 outputs, on the weights of a network.

    A graph of several inputs has their names as `net.inputs`; it casts them itself where it needs to, so that what must
    be exact, such as coordinates, can stay in float32.

    Args:
        net: the network; with float16 its weights become float16.
        dtype: float32: the network itself; bfloat16: its mixed-precision form; float16: the network with casts around.
        hybrid: compile it to a graph; the mixed-precision form is a graph in any case.

    Returns:
        The callable; of a network of several graphs what its `computed_by` makes of one callable for each.
    """
    if hasattr(net, "computed_by"):
        return net.computed_by(partial(computing, dtype=dtype, hybrid=hybrid))
    form: Block = net
    if dtype == "bfloat16":
        form = low_precision(net, dtype)
    elif dtype == "float16":
        net.cast(dtype)
    elif hybrid and isinstance(net, HybridBlock):  # a `Block` has no graph of its own
        form = with_fast_steps(net)
    if hybrid or form is not net:
        form.hybridize(static_alloc=True, static_shape=True)
    if dtype != "float16":
        return form
    own = hasattr(net, "inputs")
    return lambda *x: _as_float32(net(*(x if own else (one.astype(dtype) for one in x))))


def _as_float32(outputs: Any) -> Any:
    several = isinstance(outputs, list | tuple)
    return [one.astype("float32") for one in outputs] if several else outputs.astype("float32")


def low_precision(net: HybridBlock, dtype: str) -> GraphForm:
    """The network's mixed-precision form, on the same weights, which stay float32.

    Convolutions and dense layers compute in `dtype`, what needs the range of float32 in float32, as MXNet's AMP lists
    say; without AMX convolutions that read images do, too. `amp.init` would change every operator of the process; this
    changes one network.

    Args:
        net: the network, initialized; it may have several outputs, which then come as float32, and several inputs, see
            `computing`.
        dtype: "bfloat16" or "float16".
    """
    params, with_amx = _parameters(net), uses_amx()
    for param in params.values():
        param.cast(param.dtype)  # new arrays: inference leaves weights in a layout that the casts of AMP cannot read

    def mixed(graph: mx.sym.Symbol) -> mx.sym.Symbol:
        if not with_amx:
            graph = float32_after_odd_convolutions(graph, params)
        graph = mixed_precision(graph, dtype, images_in_float32=not with_amx, training=True)
        if not with_amx:
            graph = compile_odd_norms(graph, params)
        if len(graph.list_outputs()) > 1:
            graph = mx.sym.Group([mx.sym.amp_cast(one, dtype="float32") for one in graph])
        if with_amx:
            graph = copy_after_narrow_norms(graph, params)
        return _faster(graph, params)

    return GraphForm(net, mixed)


def with_fast_steps(net: HybridBlock) -> Block:
    """The network itself, or a form on the same weights that avoids what makes training steps slow on a CPU.

    It computes 3x3 convolutions by Winograd's method and what is small beside them in their layout, norms and gates
    together with the sum and the ReLU behind them, and separable convolutions of one map by one operator. It has
    copies where oneDNN's batch norms would be slow, no casts that change nothing, and no gradients that nobody takes.

    Args:
        net: the network, initialized, on any devices; on a GPU nothing is changed.
    """
    params = _parameters(net)
    if any(context.device_type == "gpu" for param in params.values() for context in param.list_ctx()):
        return net

    def fast(graph: mx.sym.Symbol) -> mx.sym.Symbol:
        # compiled operators cannot add to gradients
        weights = {name: param.shape for name, param in params.items() if param.grad_req != "add"}
        return _faster(stay_in_plain_memory(use_winograd(graph, weights), params, weights), params)

    form = GraphForm(net, fast)
    return form if form.changes else net


def _parameters(net: HybridBlock) -> dict[str, mx.gluon.Parameter]:
    return dict(net.collect_params().items())  # to look for a name Gluon's own goes through all of them


def _faster(graph: mx.sym.Symbol, params: dict[str, mx.gluon.Parameter]) -> mx.sym.Symbol:
    graph = share_maps(join_activations(without_identity_casts(graph, params)))
    return without_unused_gradients(copy_between_layouts(graph, params), params)


def usable_dtype(dtype: str, contexts: Sequence[mx.Context], has_bfloat16: bool) -> str:
    """The dtype to compute in: `dtype`, or with one warning the nearest one that these devices can.

    MXNet computes float16 on GPUs only and bfloat16 on CPUs only.

    Args:
        dtype: what is asked for.
        contexts: the devices of the run.
        has_bfloat16: whether the processor has bfloat16 instructions.

    Raises:
        UserError: bfloat16 on a GPU.
    """
    on_gpu = any(context.device_type == "gpu" for context in contexts)
    if on_gpu:
        if dtype == "bfloat16":
            raise UserError("MXNet has no bfloat16 on a GPU: give option dtype float16")
        return dtype
    usable = "float32" if dtype == "float32" or not has_bfloat16 else "bfloat16"
    if usable != dtype:
        lack = "a CPU computes no float16" if dtype == "float16" else "this processor has no bfloat16 instructions"
        get_logger().warning("%s: training in %s", lack, usable)
    return usable


def training_operators(dtype: str, contexts: Sequence[mx.Context], kernels: str) -> contextlib.AbstractContextManager:
    """A context to trace networks in, with compiled operators where a run can use them: on the CPU, except in float16.

    Args:
        dtype: what the run computes in.
        contexts: its devices.
        kernels: "auto", or "off" for MXNet's own operators only.
    """
    on_cpu = all(context.device_type == "cpu" for context in contexts)
    return compiled_operators() if kernels == "auto" and dtype != "float16" and on_cpu else contextlib.nullcontext()
