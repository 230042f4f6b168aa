"""Local self-attention by blocks: matrix products in place of an unfolding of each pixel's window.

A feature map is cut into blocks of pixels; all queries of a block share one window, which is the block and its
surroundings. A pixel is copied once per window that contains it, not once per query, and logits and sums are
`batch_dot`s. MXNet's `im2col` would need k * k copies and has no ONNX converter. Any spatial size goes: it is padded to
whole blocks.

Functions take `F` (`mx.nd` or `mx.sym`) first. Feature maps are (M,d,H,W), M = N * heads. Inside a block or window the
column comes first: (blocks, column, row, d).
"""

import math
from typing import Any

from . import fast
from .float32_stats import InFloat32
from .self_attention import relative_softmax
from .tracing import Tensor, compiled

#: added to the logits of what is outside of the feature map; three times that still fits float16
OUTSIDE = -1e4


def offsets_of(block: int, reach: int, step: int = 1) -> int:
    """How many different offsets there are between a query of a block and a line of its window."""
    return 2 * (block + reach) - step


def attend(
    F: Any, module: InFloat32, queries: Tensor, keys: Tensor, values: Tensor, position_logits: Tensor, *, size: int,
    offsets: int, block: int, reach: int, step: int = 1, scale: float = 1.0, shift: int | None = None,
    masked: bool = True,
) -> Tensor:  # fmt: skip
    """softmax over the window of scale * (q . k + position logit), times v, in each head; pixels outside do not count.

    Args:
        F: `mx.nd` or `mx.sym`.
        module: the attention, which widens its logits to float32.
        queries: (N,C,H/step,W/step), for every step-th pixel.
        keys: (N,C,H,W).
        values: (N,C,H,W).
        position_logits: (N,heads*2*offsets,H/step,W/step), in each head those of the row offsets, then those of the
            column offsets, from the least offset on. If they are fewer than `offsets_of` says, they are those in the
            middle, and pixels farther away do not count.
        size: C / heads.
        offsets: of rows or columns, as in position_logits.
        block: side of a block, in pixels of the keys.
        reach: how far its window goes beyond it on each side, in pixels of the keys.
        step: divides `block` (default 1).
        scale: of the logits (default 1).
        shift: of the offsets from one query to the next (default None: `step`).
        masked: pixels outside do not count (default). False: their keys and values are 0.

    Returns:
        (N*heads,size,H/step,W/step).
    """
    queries, keys, values = (F.reshape(x, shape=(-1, size, 0, 0)) for x in (queries, keys, values))
    position_logits = F.reshape(position_logits, shape=(-1, 2 * offsets, 0, 0))
    side, width, shift = block // step, block + 2 * reach, step if shift is None else shift
    outside = OUTSIDE if masked else 0.0
    if compiled():
        rectangles = {"query_columns": side, "key_columns": width, "step": shift, "scale": scale}
        beyond = (width + (side - 1) * shift - offsets) // 2
        return _attend_compiled(
            F, queries, keys, values, position_logits, {"block": side, "side": side, "reach": 0},
            {"block": block, "side": width, "reach": reach}, {**rectangles, "beyond": beyond}, outside,
        )  # fmt: skip
    # one more channel of ones, which adds the last channel of the keys: OUTSIDE beyond the border, else 0
    ones = F.ones_like(F.slice_axis(queries, axis=1, begin=0, end=1))
    extended = F.concat(queries, ones, position_logits, dim=1)
    cut = blocks(F, extended if scale == 1 else extended * scale, side)  # softmax's own temperature is 5 times slower
    border = F.zeros_like(F.slice_axis(keys, axis=1, begin=0, end=1))
    keys = F.concat(padded(F, keys, block, reach), padded(F, border, block, reach, outside), dim=1)

    position = F.SliceChannel(F.slice_axis(cut, axis=3, begin=size + 1, end=None), num_outputs=2, axis=3)
    rows = _shifted(F, position[0], offsets, side, width, shift)
    columns = _shifted(F, F.SwapAxis(position[1], dim1=1, dim2=2), offsets, side, width, shift)
    columns = F.SwapAxis(columns, dim1=1, dim2=2)
    logits = F.batch_dot(
        _flat(F, F.slice_axis(cut, axis=3, begin=0, end=size + 1), side),
        _flat(F, windows(F, keys, block, width), width),
        transpose_b=True,
    ) + _row_plus_column(F, _flat(F, F.concat(columns, rows, dim=3), side), width)

    probabilities = module.narrow(F, fast.softmax(F, module.widen(F, logits)))
    in_windows = _flat(F, windows(F, padded(F, values, block, reach), block, width), width)
    y = F.reshape(F.batch_dot(probabilities, in_windows), shape=(0, side, side, -1))
    return unblocked(F, y, queries, side)


def _attend_compiled(
    F: Any, queries: Tensor, keys: Tensor, values: Tensor, position_logits: Tensor, pixels: dict[str, int],
    around: dict[str, int], rectangles: dict[str, Any], outside: float,
) -> Tensor:  # fmt: skip
    """`attend` by compiled operators; `pixels` and `around` say how queries and keys are cut."""
    cut = F.gluon_attn_windows
    plain = {"border": 0, "inside": 0.0, "outside": 0.0}
    logits = F.batch_dot(  # with one more channel, which adds `outside` beyond the border
        cut(queries, **pixels, border=1, inside=1.0, outside=1.0),
        cut(keys, **around, border=1, inside=0.0, outside=outside),
        transpose_b=True,
    )
    positions = cut(position_logits, **pixels, **plain)
    probabilities = relative_softmax(F, logits, positions, **rectangles, outside=OUTSIDE)
    like = F.BlockGrad(F.slice_axis(queries, axis=1, begin=0, end=1))
    blocks = F.batch_dot(probabilities, cut(values, **around, **plain))
    return F.gluon_attn_map_of_blocks(blocks, like, block=pixels["block"])


def padded(F: Any, x: Tensor, block: int, reach: int, fill: float = 0.0) -> Tensor:
    """x (M,d,H,W) padded with `fill`: by `reach` pixels before, and after by as many as whole windows of blocks of
    `block` pixels need."""
    over = _over(block, block + 2 * reach)
    whole = _pad(F, _whole_blocks(F, x, block), 0, over)
    return F.slice_like(_pad(F, x, reach, over - reach + block - 1, fill), whole, axes=(2, 3))


def windows(F: Any, x: Tensor, block: int, width: int) -> Tensor:
    """The window, `width` pixels wide, of each block: (M,d,.,.) from `padded` -> (blocks, width, width, d)."""
    x = _strips(F, F.transpose(x, axes=(0, 2, 3, 1)), block, width)
    return _strips(F, F.SwapAxis(x, dim1=1, dim2=2), block, width)


def blocks(F: Any, x: Tensor, block: int) -> Tensor:
    """The blocks of `block` x `block` pixels: (M,d,H,W) -> (blocks, block, block, d), zeros beyond the feature map."""
    return windows(F, padded(F, x, block, 0), block, block)


def unblocked(F: Any, y: Tensor, x: Tensor, block: int) -> Tensor:
    """(blocks, block, block, d) -> (M,d,H,W), put together to the spatial size of x."""
    whole = F.transpose(_whole_blocks(F, x, block), axes=(0, 2, 3, 1))
    strips = F.SwapAxis(_strips(F, whole, block, block), dim1=1, dim2=2)
    y = F.reshape_like(y, strips, lhs_begin=0, lhs_end=2, rhs_begin=0, rhs_end=2)
    y = F.reshape_like(F.SwapAxis(y, dim1=1, dim2=2), whole, lhs_begin=0, lhs_end=2, rhs_begin=0, rhs_end=2)
    return F.slice_like(F.transpose(y, axes=(0, 3, 1, 2)), F.BlockGrad(x), axes=(2, 3))


def _over(block: int, width: int) -> int:
    """By how much the whole blocks that cover a window exceed one block."""
    return (math.ceil(width / block) - 1) * block


def _pad(F: Any, x: Tensor, before: int, after: int, fill: float = 0.0) -> Tensor:
    if not before and not after:
        return x
    return F.Pad(x, mode="constant", pad_width=(0,) * 4 + (before, after) * 2, constant_value=fill)


def _whole_blocks(F: Any, x: Tensor, block: int) -> Tensor:
    """(M,1,H,W), H and W rounded up to whole blocks, for its shape alone."""
    first = F.zeros_like(F.slice_axis(F.BlockGrad(x), axis=1, begin=0, end=1))
    if block == 1:
        return first
    count = F.Pooling(_pad(F, first, 0, block - 1), kernel=(block, block), stride=(block, block), pool_type="avg")
    return F.UpSampling(count, scale=block, sample_type="nearest")


def _strips(F: Any, x: Tensor, block: int, width: int) -> Tensor:
    """(A,n*block+.,B,d) -> (A*n,width,B,d): from every `block`-th line on, `width` lines."""
    over, parts = _over(block, width), []
    for begin in range(0, over + 1, block):
        part = x if not over else F.slice_axis(x, axis=1, begin=begin, end=(begin - over) or None)
        part = F.reshape(part, shape=(-1, block, 0, 0))
        remaining = width - begin
        parts.append(part if remaining >= block else F.slice_axis(part, axis=1, begin=0, end=remaining))
    return F.concat(*parts, dim=1) if over else parts[0]


def _flat(F: Any, x: Tensor, side: int) -> Tensor:
    """(blocks, side, side, d) -> (blocks, side * side, d)."""
    return F.reshape(x, shape=(0, side * side, -1))


def _shifted(F: Any, logits: Tensor, offsets: int, side: int, width: int, step: int) -> Tensor:
    """(blocks, ., side, offsets) -> (blocks, ., side, width): line j of the window is at offset j - step * i of line i.

    Offsets beyond those given are OUTSIDE. Reading the whole as rows that are `step` shorter shifts each row as needed.
    """
    span = width + (side - 1) * step  # `offsets_of` them
    if offsets < span:
        beyond = (span - offsets) // 2
        logits = F.Pad(logits, mode="constant", pad_width=(0,) * 6 + (beyond, beyond), constant_value=OUTSIDE)
    if side == 1:
        return logits
    line = F.slice_axis(F.reshape(logits, shape=(0, 0, -1)), axis=2, begin=(side - 1) * step, end=-step)
    return F.slice_axis(F.reshape(line, shape=(0, 0, side, -1)), axis=3, begin=0, end=width)


def _row_plus_column(F: Any, logits: Tensor, width: int) -> Tensor:
    """(blocks, queries, column and row logits) -> (blocks, queries, width * width): their sum at each pixel."""
    line = F.slice_axis(F.slice_axis(F.BlockGrad(logits), axis=0, begin=0, end=1), axis=1, begin=0, end=1)
    number = F.contrib.arange_like(F.slice_axis(line, axis=2, begin=0, end=width), axis=2)
    eye = F.broadcast_equal(F.reshape(number, shape=(-1, 1)), F.reshape(number, shape=(1, -1)))
    pairs = F.concat(F.repeat(eye, repeats=width, axis=0), F.tile(eye, reps=(width, 1)), dim=1)
    return F.FullyConnected(logits, pairs, num_hidden=width * width, no_bias=True, flatten=False)
