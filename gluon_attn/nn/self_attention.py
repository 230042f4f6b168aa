"""Self-attention over all pixels: heads, the weighted sum of values, and relative positions."""

from typing import Any

from mxnet import init
from mxnet.gluon import HybridBlock, nn

from . import fast
from .float32_stats import InFloat32
from .tracing import Tensor, compiled, plain


def split_heads(F: Any, maps: Tensor, size: int) -> Tensor:
    """(N,heads*size,H,W) -> (N*heads,size,HW)."""
    return F.reshape(F.reshape(maps, shape=(0, 0, -1)), shape=(-1, size, 0))


def attend(F: Any, logits: Tensor, values: Tensor) -> Tensor:
    """Sums of the values, weighted by the softmax of the logits over the keys.

    Args:
        F: `mx.nd` or `mx.sym`.
        logits: (B,queries,keys), in float32 or wider.
        values: (B,size,keys).

    Returns:
        (B,size,queries).
    """
    return _weighted(F, fast.softmax(F, logits), values)


def _weighted(F, probabilities, values):
    return F.batch_dot(values, probabilities, transpose_b=True)


def relative_softmax(
    F: Any, logits: Tensor, positions: Tensor, *, query_columns: int, key_columns: int, step: int = 1,
    beyond: int = 0, outside: float = 0.0, scale: float = 1.0,
) -> Tensor:  # fmt: skip
    """Softmax over the keys of scale * (logits + logits of relative positions); only in `compiled_operators()`.

    Args:
        F: `mx.nd` or `mx.sym`.
        logits: (B,queries,keys), both pixels of rectangles, line by line.
        positions: (B,queries,offsets of lines + offsets of columns): what a line and a column of keys add to a query,
            from the least offset on: a key's line minus `step` times the query's.
        query_columns: width of the rectangle of queries.
        key_columns: width of that of keys.
        step: keys from one query to the next (default 1).
        beyond: how many offsets are missing in positions at each end (default 0).
        outside: what these add.
        scale: default 1.

    Returns:
        (B,queries,keys).
    """
    return F.gluon_attn_relative_softmax(
        logits, positions, query_columns=query_columns, key_columns=key_columns, step=step, beyond=beyond,
        outside=outside, scale=scale,
    )  # fmt: skip


class RelativeSelfAttention(InFloat32, HybridBlock):
    """Multi-head self-attention with 2-D relative position embeddings, (N,C,H,W) -> (N,heads*values,H,W).

    Per head softmax_p'(q_p . (k_p' + column(x' - x) + row(y' - y))) v_p', q scaled by keys^-1/2; the row and column
    embeddings are shared by the heads and start normal with deviation keys^-1/2. q, k and v are 1x1 convolutions.
    In timm's form the scale leaves out the products with the embeddings, and one convolution gives q, k and v.

    Args:
        channels: C.
        heads: number of heads.
        keys: width of q and k in one head.
        values: width of v in one head.
        size: (H, W); other sizes are not taken.
        bias: the convolutions have biases.
        timm: timm's form, for keys as wide as values (default False).
    """

    def __init__(
        self,
        channels: int,
        *,
        heads: int,
        keys: int,
        values: int,
        size: tuple[int, int],
        bias: bool,
        timm: bool = False,
    ) -> None:
        super().__init__()
        self._keys, self._values, self._size, self._timm = keys, values, size, timm
        widths = {"query": heads * keys, "key": heads * keys, "value": heads * values}
        with self.name_scope():
            for name, width in ({"qkv": sum(widths.values())} if timm else widths).items():
                setattr(self, name, nn.Conv2D(width, 1, use_bias=bias, in_channels=channels))
            for name, length in zip(("rows", "columns"), size, strict=True):
                embeddings = self.params.get(name, shape=(2 * length - 1, keys), init=init.Normal(keys**-0.5))
                setattr(self, name, embeddings)

    def hybrid_forward(self, F: Any, x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """(N,C,H,W) -> (N,heads*values,H,W)."""
        if self._timm:
            query_map, key_map, value_map = F.SliceChannel(self.qkv(x), num_outputs=3, axis=1)
        else:
            query_map, key_map, value_map = self.query(x), self.key(x), self.value(x)
        sizes = (query_map, self._keys), (key_map, self._keys), (value_map, self._values)
        query, key, value = (self.widen(F, split_heads(F, *pair)) for pair in sizes)
        query = F.transpose(query * self._keys**-0.5, axes=(0, 2, 1))  # (B,HW,keys), B = N * heads
        height, width = self._size
        if compiled():
            positions = self._products(F, query, F.concat(rows, columns, dim=0))
            logits = F.batch_dot(query, key)
            y = _weighted(F, relative_softmax(F, logits, positions, query_columns=width, key_columns=width), value)
        else:
            of_rows = relative_to_absolute(F, self._products(F, query, rows), height, width)
            of_columns = relative_to_absolute(F, self._products(F, query, columns), width, 1, height)
            y = attend(F, self._logits(F, query, key, of_rows, of_columns), value)
        return F.reshape_like(self.narrow(F, y), value_map)

    def _products(self, F: Any, query: Tensor, embeddings: Tensor) -> Tensor:
        """Each query times each relative embedding, (B,HW,distances)."""
        embeddings = self.widen(F, embeddings)
        return F.dot(query, embeddings * self._keys**0.5 if self._timm else embeddings, transpose_b=True)

    def _logits(self, F: Any, query: Tensor, key: Tensor, of_rows: Tensor, of_columns: Tensor) -> Tensor:
        """query key + of_rows[row of the key] + of_columns[column of the key], (B,HW,HW)."""
        height, width = self._size
        if plain():
            logits = F.reshape(F.batch_dot(query, key), shape=(-1, height, width))
            logits = F.broadcast_add(logits, F.reshape(of_rows, shape=(-1, height, 1)))
            logits = F.broadcast_add(logits, F.reshape(of_columns, shape=(-1, 1, width)))
            return F.reshape(logits, shape=(-1, height * width, height * width))
        # one matrix product does it all: the one-hot row and column of a key are appended to its features
        position = F.contrib.arange_like(key, axis=2)
        row = F.floor((position + 0.5) / width)
        one_hot = F.concat(F.one_hot(row, height), F.one_hot(position - row * width, width), dim=1)
        one_hot = F.expand_dims(F.transpose(self.widen(F, one_hot)), axis=0)  # (1,H+W,HW)
        ones = F.ones_like(F.slice_axis(F.slice_axis(key, axis=1, begin=0, end=1), axis=2, begin=0, end=1))
        one_hot = F.BlockGrad(F.broadcast_mul(one_hot, ones))
        return F.batch_dot(F.concat(query, of_rows, of_columns, dim=2), F.concat(key, one_hot, dim=1))


def relative_to_absolute(F: Any, products: Tensor, length: int, inner: int, outer: int = 1) -> Tensor:
    """Products with embeddings of distances -> products with those of the positions 0 to length - 1.

    The distance from a query at i to position k is entry k - i + length - 1, so that the rows of the result are cut out
    one entry earlier from row to row: reading the whole as rows that are one entry shorter does that without an index.

    Args:
        F: `mx.nd` or `mx.sym`.
        products: (B,pixels,2 length - 1), the pixels being outer x length x inner.
        length: of the axis.
        inner: number of pixels per position of the axis.
        outer: number of such axes (default 1).

    Returns:
        (B,pixels,length).
    """
    if length == 1:
        return products
    entries = 2 * length - 1
    flat = F.reshape(products, shape=(-1, length * inner * entries))
    shorter = inner * entries - 1
    flat = F.slice_axis(flat, axis=1, begin=length - 1, end=length - 1 + length * shorter)
    rows = F.reshape(flat, shape=(-1, length, shorter))
    rows = F.concat(rows, F.slice_axis(rows, axis=2, begin=0, end=1), dim=2)  # the missing entry is never read
    return F.slice_axis(F.reshape(rows, shape=(-1, outer * length * inner, entries)), axis=2, begin=0, end=length)
