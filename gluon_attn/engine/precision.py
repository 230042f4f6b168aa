"""The number type of a run: what computes in training, and the operators it is traced with."""

import contextlib
import warnings

import mxnet as mx

from ..nn.kernels import compiled_operators
from ..utils.errors import UserError
from ..utils.log import get_logger
from .layouts import copy_after_narrow_norms, mixed_precision


def computing(net, dtype, hybrid=True):
    """What runs in training and evaluation: float32 images -> float32 outputs, on the weights of `net`.

    float32: the network; bfloat16: its mixed-precision form; float16: the network, whose weights become float16 here.
    hybrid: compile it to a graph; the mixed-precision form is one anyway.
    """
    form = low_precision(net, dtype) if dtype == "bfloat16" else net
    if dtype == "float16":
        net.cast(dtype)
    if hybrid or form is not net:
        form.hybridize(static_alloc=True, static_shape=True)
    return form if dtype != "float16" else lambda x: net(x.astype(dtype)).astype("float32")


def low_precision(net, dtype):
    """The network's mixed-precision form, on the same weights, which stay float32.

    Convolutions and dense layers compute in `dtype`, what needs the range in float32, as MXNet's AMP lists say. Only
    this network changes, where `amp.init` would change every operator of the process.
    """
    data = mx.sym.var("data")
    mixed = mixed_precision(net(data), dtype)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Cannot decide type")  # of the images, which come as float32
        return mx.gluon.SymbolBlock(
            copy_after_narrow_norms(mixed, net.collect_params()), [data], params=net.collect_params()
        )


def usable_dtype(dtype, contexts, has_bfloat16):
    """`dtype`, or with one warning what comes next to it on these devices.

    MXNet computes float16 on GPUs only, bfloat16 on CPUs only. has_bfloat16: whether the processor does.
    """
    on_gpu = any(context.device_type == "gpu" for context in contexts)
    if on_gpu:
        if dtype == "bfloat16":
            raise UserError("MXNet has no bfloat16 on a GPU: use --dtype float16")
        return dtype
    usable = "float32" if dtype == "float32" or not has_bfloat16 else "bfloat16"
    if usable != dtype:
        lack = "a CPU computes no float16" if dtype == "float16" else "this processor has no bfloat16 instructions"
        get_logger().warning("%s: training in %s", lack, usable)
    return usable


def training_operators(dtype, contexts, kernels):
    """A context to trace in: compiled operators where they may serve, which is on the CPU."""
    on_cpu = all(context.device_type == "cpu" for context in contexts)
    return compiled_operators() if kernels == "auto" and dtype != "float16" and on_cpu else contextlib.nullcontext()
