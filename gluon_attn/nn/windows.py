"""Attention of every pixel to a window around it, by blocks: matrix products in place of an unfolding.

A map is cut into blocks of pixels; all queries of a block share one window, the block and what it reaches around.
Copies of a pixel are then as many as windows that hold it, not one a query, and logits and sums are `batch_dot`s.
MXNet's `im2col` would need k * k copies and has no ONNX converter. Any map size goes: it is padded to whole blocks.

Maps are (M,d,H,W), M images times heads. Inside a block or window the column comes first: (blocks, column, row, d).
"""

import math

from . import fast

#: added to the logit of what is out of bounds; three of them still fit float16
OUTSIDE = -1e4


def offsets_of(block, reach, step=1):
    """How many offsets occur between a query of a block and a line of its window."""
    return 2 * (block + reach) - step


def attend(F, module, queries, keys, values, places, *, size, offsets, block, reach, step=1, scale=1.0):
    """softmax over the window of scale (q . k + place) times v, in each head; the window ends with the map.

    queries: (N,C,H/step,W/step), every step-th pixel. keys, values: (N,C,H,W). places: logits of L row offsets, then
    of L column offsets in each head, of (N,heads*2L,H/step,W/step); from the least offset on, or if these are not all
    that occur, the middle ones: farther pixels are out. size: C / heads. offsets: L. block, reach: side of a block
    and how far its window goes on around it, in pixels of the keys; `step` divides `block`. module: the `InFloat32`
    block whose attention it is. Gives (N*heads,size,H/step,W/step).
    """
    queries, keys, values = (F.reshape(x, shape=(-1, size, 0, 0)) for x in (queries, keys, values))
    places = F.reshape(places, shape=(-1, 2 * offsets, 0, 0))
    side, width = block // step, block + 2 * reach
    # one more channel takes what the keys' last channel says of the map's border
    ones = F.ones_like(F.slice_axis(queries, axis=1, begin=0, end=1))
    asked = F.concat(queries, ones, places, dim=1)
    cut = blocks(F, asked if scale == 1 else asked * scale, side)  # softmax's own temperature is five times slower
    border = F.zeros_like(F.slice_axis(keys, axis=1, begin=0, end=1))
    keys = F.concat(padded(F, keys, block, reach), padded(F, border, block, reach, OUTSIDE), dim=1)

    near = F.SliceChannel(F.slice_axis(cut, axis=3, begin=size + 1, end=None), num_outputs=2, axis=3)
    rows = _placed(F, near[0], offsets, side, width, step)
    columns = F.SwapAxis(_placed(F, F.SwapAxis(near[1], dim1=1, dim2=2), offsets, side, width, step), dim1=1, dim2=2)
    logits = F.batch_dot(
        _listed(F, F.slice_axis(cut, axis=3, begin=0, end=size + 1), side),
        _listed(F, windows(F, keys, block, width), width),
        transpose_b=True,
    ) + _crossed(F, _listed(F, F.concat(columns, rows, dim=3), side), width)

    shares = module.narrow(F, fast.softmax(F, module.widen(F, logits)))
    seen = _listed(F, windows(F, padded(F, values, block, reach), block, width), width)
    return unblocked(F, F.reshape(F.batch_dot(shares, seen), shape=(0, side, side, -1)), queries, side)


def gathered(F, values, weights, *, kernel, heads, share):
    """Sum over a k x k window of values times weights, which differ from pixel to pixel: (N,C,H,W).

    values: (N,C,H,W). weights: (N,heads*k*k,H,W), by head, in it by offset; C = heads * share, and channels `heads`
    apart have the same. Outside the map the values are zero. Offsets are taken one by one, best where they are few.
    """
    wide, reach = _pad(F, values, kernel // 2, kernel // 2), kernel - 1
    rows = [F.slice_axis(wide, axis=2, begin=i, end=(i - reach) or None) for i in range(kernel)]
    near = [F.slice_axis(row, axis=3, begin=j, end=(j - reach) or None) for row in rows for j in range(kernel)]
    lines = F.reshape(weights, shape=(0, heads, kernel**2, -1))
    parts = F.SliceChannel(lines, num_outputs=kernel**2, axis=2) if kernel > 1 else [lines]
    spread = [F.reshape_like(F.concat(*[part] * share, dim=1), values) for part in parts]
    return F.add_n(*[x * weight for x, weight in zip(near, spread, strict=True)])


def padded(F, x, block, reach, fill=0.0):
    """(M,d,H,W) with `reach` pixels of `fill` before it and so many behind that `windows` has whole ones."""
    over = _over(block, block + 2 * reach)
    whole = _pad(F, _paved(F, x, block), 0, over)
    return F.slice_like(_pad(F, x, reach, over - reach + block - 1, fill), whole, axes=(2, 3))


def windows(F, x, block, width):
    """(M,d,.,.) as `padded` made it -> (blocks, width, width, d)."""
    x = _strips(F, F.transpose(x, axes=(0, 2, 3, 1)), block, width)
    return _strips(F, F.SwapAxis(x, dim1=1, dim2=2), block, width)


def blocks(F, x, block):
    """(M,d,H,W) -> (blocks, block, block, d), zeros where the map ends."""
    return windows(F, padded(F, x, block, 0), block, block)


def unblocked(F, y, x, block):
    """(blocks, block, block, d) -> (M,d,H,W), the blocks of a map of x's size."""
    whole = F.transpose(_paved(F, x, block), axes=(0, 2, 3, 1))
    strips = F.SwapAxis(_strips(F, whole, block, block), dim1=1, dim2=2)
    y = F.reshape_like(y, strips, lhs_begin=0, lhs_end=2, rhs_begin=0, rhs_end=2)
    y = F.reshape_like(F.SwapAxis(y, dim1=1, dim2=2), whole, lhs_begin=0, lhs_end=2, rhs_begin=0, rhs_end=2)
    return F.slice_like(F.transpose(y, axes=(0, 3, 1, 2)), F.BlockGrad(x), axes=(2, 3))


def _over(block, width):
    """By how much whole blocks that cover a window exceed one block."""
    return (math.ceil(width / block) - 1) * block


def _pad(F, x, before, behind, fill=0.0):
    if not before and not behind:
        return x
    return F.Pad(x, mode="constant", pad_width=(0,) * 4 + (before, behind) * 2, constant_value=fill)


def _paved(F, x, block):
    """A map of (M,1,H,W) rounded up to whole blocks, for its size alone."""
    first = F.zeros_like(F.slice_axis(F.BlockGrad(x), axis=1, begin=0, end=1))
    if block == 1:
        return first
    count = F.Pooling(_pad(F, first, 0, block - 1), kernel=(block, block), stride=(block, block), pool_type="avg")
    return F.UpSampling(count, scale=block, sample_type="nearest")


def _strips(F, x, block, width):
    """(A,n*block+.,B,d) -> (A*n,width,B,d): every `block` lines those from there on."""
    over, parts = _over(block, width), []
    for begin in range(0, over + 1, block):
        part = x if not over else F.slice_axis(x, axis=1, begin=begin, end=(begin - over) or None)
        part = F.reshape(part, shape=(-1, block, 0, 0))
        left = width - begin
        parts.append(part if left >= block else F.slice_axis(part, axis=1, begin=0, end=left))
    return F.concat(*parts, dim=1) if over else parts[0]


def _listed(F, x, side):
    """(blocks, side, side, d) -> (blocks, side * side, d)."""
    return F.reshape(x, shape=(0, side * side, -1))


def _placed(F, logits, offsets, side, width, step):
    """(blocks, ., side, offsets) -> (blocks, ., side, width): line j of the window is at offset j - step * i of line i.

    Offsets beyond those given are out. Read again as rows that are `step` shorter, each begins where it should.
    """
    span = width + (side - 1) * step  # `offsets_of` them
    if offsets < span:
        beyond = (span - offsets) // 2
        logits = F.Pad(logits, mode="constant", pad_width=(0,) * 6 + (beyond, beyond), constant_value=OUTSIDE)
    if side == 1:
        return logits
    line = F.slice_axis(F.reshape(logits, shape=(0, 0, -1)), axis=2, begin=(side - 1) * step, end=-step)
    return F.slice_axis(F.reshape(line, shape=(0, 0, side, -1)), axis=3, begin=0, end=width)


def _crossed(F, places, width):
    """(blocks, queries, column and row logits) -> (blocks, queries, width * width), their sum at each crossing."""
    line = F.slice_axis(F.slice_axis(F.BlockGrad(places), axis=0, begin=0, end=1), axis=1, begin=0, end=1)
    number = F.contrib.arange_like(F.slice_axis(line, axis=2, begin=0, end=width), axis=2)
    eye = F.broadcast_equal(F.reshape(number, shape=(-1, 1)), F.reshape(number, shape=(1, -1)))
    pairs = F.concat(F.repeat(eye, repeats=width, axis=0), F.tile(eye, reps=(width, 1)), dim=1)
    return F.FullyConnected(places, pairs, num_hidden=width * width, no_bias=True, flatten=False)
