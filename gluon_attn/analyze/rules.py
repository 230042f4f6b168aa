"""How many MACs and other operations each operator takes, for known shapes.

A multiply-accumulate (MAC) is one product added to a sum. Only convolutions, dense layers and matrix products count in
MACs, as in published figures, without their biases. All other arithmetic counts as other operations: one per output
element for an elementwise operator whatever its function, one per input element for a reduction, and as the table says
for the rest. Operators that only move, copy or make constants count nothing. An operator without a rule is an error.
"""

import math
from collections.abc import Callable

from ..utils.errors import UserError
from .graph import GraphNode

#: points along an axis of a bin of a roi, where they adapt to the roi
_ADAPTED = 2
#: (MACs, other operations)
Work = tuple[int, int]


def work(node: GraphNode) -> Work:
    """(MACs, other operations) of the operator `node`; `UserError` if it has no rule."""
    if node.op in RULES:
        return RULES[node.op](node)
    raise UserError(
        f"operator {node.op} ({node.name}) has no rule for counting its work: add one to gluon_attn/analyze/rules.py"
    )


def _out(node: GraphNode) -> int:
    return math.prod(node.outputs[0])


def _in(node: GraphNode) -> int:
    return math.prod(node.inputs[0])


def _flag(node: GraphNode, name: str) -> bool:
    return node.attrs.get(name, "False") in ("True", "1")


def _convolution(node: GraphNode) -> Work:
    bias = 0 if _flag(node, "no_bias") else _out(node)
    return _out(node) * math.prod(node.inputs[1][1:]), bias


def _deconvolution(node: GraphNode) -> Work:
    bias = 0 if node.attrs.get("no_bias", "True") in ("True", "1") else _out(node)
    return _in(node) * math.prod(node.inputs[1][1:]), bias


def _dense(node: GraphNode) -> Work:
    return _out(node) * node.inputs[1][1], 0 if _flag(node, "no_bias") else _out(node)


def _dot(node: GraphNode) -> Work:
    left = node.inputs[0]
    return _out(node) * (left[0] if _flag(node, "transpose_a") else left[-1]), 0


def _batch_dot(node: GraphNode) -> Work:
    left = node.inputs[0]
    return _out(node) * (left[-2] if _flag(node, "transpose_a") else left[-1]), 0


def _pooling(node: GraphNode) -> Work:
    if _flag(node, "global_pool"):
        return 0, _in(node)
    numbers = [int(part) for part in node.attrs["kernel"].strip("()[]").split(",") if part.strip()]
    return 0, _out(node) * math.prod(numbers)


def _roi_align(node: GraphNode) -> Work:
    points = int(node.attrs.get("sample_ratio", -1))
    points = points if points > 0 else _ADAPTED
    return 0, _out(node) * 4 * points**2


def _each_output(times: int) -> Callable[[GraphNode], Work]:
    return lambda node: (0, times * _out(node))


def _sum_of_inputs(node: GraphNode) -> Work:
    return 0, _out(node) * (len(node.inputs) - 1)


def _each_input(node: GraphNode) -> Work:
    return 0, _in(node)


def _nothing(node: GraphNode) -> Work:
    return 0, 0


_PRODUCTS = {
    "Convolution": _convolution,
    "Deconvolution": _deconvolution,
    "FullyConnected": _dense,
    "dot": _dot,
    "batch_dot": _batch_dot,
    "_linalg_gemm2": _batch_dot,
}
_ELEMENTWISE = """
    Activation LeakyReLU relu sigmoid hard_sigmoid tanh softsign erf exp expm1 log log2 log10 log1p sqrt rsqrt cbrt
    rcbrt square reciprocal negative abs sign round rint ceil floor clip sin cos gamma logical_not where
    elemwise_add elemwise_sub elemwise_mul elemwise_div _power _maximum _minimum _grad_add
    broadcast_add broadcast_sub broadcast_mul broadcast_div broadcast_power broadcast_maximum broadcast_minimum
    broadcast_equal broadcast_not_equal broadcast_greater broadcast_greater_equal broadcast_lesser
    broadcast_lesser_equal _plus_scalar _minus_scalar _rminus_scalar _mul_scalar _div_scalar _rdiv_scalar _power_scalar
    _rpower_scalar _maximum_scalar _minimum_scalar _equal_scalar _not_equal_scalar _greater_scalar
    _greater_equal_scalar _lesser_scalar _lesser_equal_scalar _contrib_div_sqrt_dim smooth_l1
"""
_REDUCTIONS = "mean sum sum_axis nansum max min prod norm argmax argmin _contrib_AdaptiveAvgPooling2D"
_MOVES = """
    Reshape reshape_like Flatten transpose SwapAxis expand_dims squeeze slice slice_axis slice_like SliceChannel
    _split_v2 Concat stack tile repeat reverse broadcast_to broadcast_like broadcast_axis Pad take pick gather_nd
    one_hot Embedding depth_to_space space_to_depth UpSampling zeros_like ones_like _zeros _ones _full _arange
    _contrib_arange_like shape_array size_array Cast amp_cast amp_multicast _copy identity BlockGrad Dropout
"""
_WEIGHTED = {
    "BatchNorm": 2,  # scale and shift, folded
    "InstanceNorm": 5,  # mean, variance, subtraction, scale, shift
    "LayerNorm": 5,
    "GroupNorm": 5,
    "L2Normalization": 3,  # square, sum, division
    "softmax": 3,  # exp, sum, division
    "log_softmax": 3,
    "_contrib_BilinearResize2D": 4,  # one per corner
    "GridGenerator": 6,
    "BilinearSampler": 4,
}

#: operator -> its rule
RULES: dict[str, Callable[[GraphNode], Work]] = {
    **_PRODUCTS,
    **dict.fromkeys(_ELEMENTWISE.split(), _each_output(1)),
    **dict.fromkeys(_REDUCTIONS.split(), _each_input),
    **dict.fromkeys(_MOVES.split(), _nothing),
    **{name: _each_output(times) for name, times in _WEIGHTED.items()},
    "Pooling": _pooling,
    "add_n": _sum_of_inputs,
    "_contrib_ROIAlign": _roi_align,  # four corners of each sampling point
}
