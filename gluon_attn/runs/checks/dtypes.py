"""bfloat16 by MXNet's mixed precision, and the rules of float16, which MXNet cannot compute on a CPU."""

import mxnet as mx
import numpy as np
from mxnet.contrib import amp

from ...deploy import symbol
from ...utils.errors import engine_reason
from .case import Case, CheckFailed, same
from .forms import traced

#: how far 8 significant bits may be off, relative to the largest value
_LIMIT = 0.02


def bfloat16(case: Case) -> float:
    """Mixed precision is close to float32; returns the largest difference.

    It keeps 8 significant bits of what goes into and comes out of each convolution. So each of at most three in a row
    errs by 3 * 2**-9 of its largest value at most, less where errors average out. The sigmoid behind them has slope 1/4
    and logits stay below 4 here: 3 * 3 * 2**-9 * 4 / 4 is 2 %.
    """
    block, x = case.make(), case.image(3)
    block.hybridize()
    wanted = block(x).asnumpy()
    converted = amp.convert_hybrid_block(block, target_dtype="bfloat16", ctx=mx.cpu())
    got = converted(x).astype("float32").asnumpy()
    return same(got, wanted, "bfloat16", 0, _LIMIT * float(np.abs(wanted).max()))


def float16(case: Case) -> float:
    """After a cast the graph is in float16 from end to end, and it still exports in float32.

    Returns:
        The largest difference of the exported graph.

    Raises:
        CheckFailed: dtypes do not go together, or the exported graph differs.
    """
    block, x = case.make(), case.image(3)
    for param in block.collect_params().values():
        param.set_data(param.data().astype("float16").astype("float32"))
    wanted = block(x).asnumpy()
    block.cast("float16")
    for param in block.collect_params().values():
        param._var = None  # MXNet keeps the float32 variable of one that was traced before
    _check_graph(block)
    exported = symbol.block(traced(case, block))(x)
    return same(exported.asnumpy().reshape(wanted.shape), wanted, "exported in float32", case.rtol, case.atol)


def _check_graph(block: mx.gluon.HybridBlock) -> None:
    """Check that a block traces to a graph from float16 to float16."""
    try:
        _, outputs, _ = block(mx.sym.var("data")).infer_type(data=np.float16)
    except mx.MXNetError as error:
        raise CheckFailed(f"its graph does not fit together in float16: {engine_reason(error)}") from None
    if not outputs or outputs[0] != np.float16:
        got = np.dtype(outputs[0]).name if outputs else "an unknown dtype"
        raise CheckFailed(f"gives {got} for float16: constants and casts must take the input's dtype")
