"""How much work each operator is, for shapes that are known.

A multiply-accumulate (MAC) is one product added to a sum; only layers of products count in MACs, as in the published
figures, their biases apart. All other arithmetic counts as operations: one an output element for an elementwise
operator whatever its function, one an input element for a reduction, and as the table says for the rest. What only
moves, copies or makes constants is no work. An operator without a rule here is an error, never nothing.
"""

import math

from ..utils.errors import UserError


def work(node):
    """(MACs, other operations) of a `Node`."""
    if node.op in RULES:
        return RULES[node.op](node)
    raise UserError(
        f"operator {node.op} ({node.name}) has no rule for counting its work: add one to gluon_attn/analyze/rules.py"
    )


def _out(node):
    return math.prod(node.outputs[0])


def _in(node):
    return math.prod(node.inputs[0])


def _flag(node, name):
    return node.attrs.get(name, "False") in ("True", "1")


def _convolution(node):
    bias = 0 if _flag(node, "no_bias") else _out(node)
    return _out(node) * math.prod(node.inputs[1][1:]), bias


def _deconvolution(node):
    bias = 0 if node.attrs.get("no_bias", "True") in ("True", "1") else _out(node)
    return _in(node) * math.prod(node.inputs[1][1:]), bias


def _dense(node):
    return _out(node) * node.inputs[1][1], 0 if _flag(node, "no_bias") else _out(node)


def _dot(node):
    left = node.inputs[0]
    return _out(node) * (left[0] if _flag(node, "transpose_a") else left[-1]), 0


def _batch_dot(node):
    left = node.inputs[0]
    return _out(node) * (left[-2] if _flag(node, "transpose_a") else left[-1]), 0


def _pooling(node):
    if _flag(node, "global_pool"):
        return 0, _in(node)
    numbers = [int(part) for part in node.attrs["kernel"].strip("()[]").split(",") if part.strip()]
    return 0, _out(node) * math.prod(numbers)


def _each_output(times):
    return lambda node: (0, times * _out(node))


def _sum_of_inputs(node):
    return 0, _out(node) * (len(node.inputs) - 1)


def _each_input(node):
    return 0, _in(node)


def _nothing(node):
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
    "_contrib_BilinearResize2D": 4,  # one a corner
    "GridGenerator": 6,
    "BilinearSampler": 4,
}

#: operator -> function of a `Node` that returns (MACs, other operations)
RULES = {
    **_PRODUCTS,
    **dict.fromkeys(_ELEMENTWISE.split(), _each_output(1)),
    **dict.fromkeys(_REDUCTIONS.split(), _each_input),
    **dict.fromkeys(_MOVES.split(), _nothing),
    **{name: _each_output(times) for name, times in _WEIGHTED.items()},
    "Pooling": _pooling,
    "add_n": _sum_of_inputs,
}
