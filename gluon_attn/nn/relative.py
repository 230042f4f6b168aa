"""Self-attention whose logits know how far the pixels lie apart, for maps of one size."""

from mxnet import init
from mxnet.gluon import HybridBlock, nn

from . import fast
from .float32_stats import InFloat32
from .heads import attend, split_heads


class RelativeSelfAttention(InFloat32, HybridBlock):
    """Multi-head attention over all pixels with 2-D relative logits, (N,C,H,W) -> (N,heads*values,H,W).

    Per head softmax_p'(q_p . (k_p' + column(x' - x) + row(y' - y))) v_p', q scaled by keys^-1/2; the row and column
    vectors serve all heads and start normal with deviation keys^-1/2. q, k and v are 1x1 convolutions.

    channels: C. heads: their number. keys, values: width of q and k, and of v, in one head. size: (H, W), the only
    maps taken. bias: of the convolutions.
    """

    def __init__(self, channels, *, heads, keys, values, size, bias):
        super().__init__()
        self._keys, self._values, self._size = keys, values, size
        with self.name_scope():
            self.query = nn.Conv2D(heads * keys, 1, use_bias=bias, in_channels=channels)
            self.key = nn.Conv2D(heads * keys, 1, use_bias=bias, in_channels=channels)
            self.value = nn.Conv2D(heads * values, 1, use_bias=bias, in_channels=channels)
            for name, length in zip(("rows", "columns"), size, strict=True):
                vectors = self.params.get(name, shape=(2 * length - 1, keys), init=init.Normal(keys**-0.5))
                setattr(self, name, vectors)

    def hybrid_forward(self, F, x, rows, columns):
        maps = self.value(x)
        sizes = (self.query(x), self._keys), (self.key(x), self._keys), (maps, self._values)
        query, key, value = (self.widen(F, split_heads(F, *pair)) for pair in sizes)
        query = F.transpose(query * self._keys**-0.5, axes=(0, 2, 1))  # (B,HW,keys), B images times heads
        height, width = self._size
        down = relative_to_absolute(F, self._products(F, query, rows), height, width)
        along = relative_to_absolute(F, self._products(F, query, columns), width, 1, height)
        mixed = attend(F, self._logits(F, query, key, down, along), value)
        return F.reshape_like(self.narrow(F, mixed), maps)

    def _products(self, F, query, vectors):
        """Each query with each relative vector, (B,HW,distances)."""
        return F.dot(query, self.widen(F, vectors), transpose_b=True)

    def _logits(self, F, query, key, down, along):
        """query key + down[row of the key] + along[column of the key], (B,HW,HW)."""
        height, width = self._size
        if fast.plain():
            logits = F.reshape(F.batch_dot(query, key), shape=(-1, height, width))
            logits = F.broadcast_add(logits, F.reshape(down, shape=(-1, height, 1)))
            logits = F.broadcast_add(logits, F.reshape(along, shape=(-1, 1, width)))
            return F.reshape(logits, shape=(-1, height * width, height * width))
        # one product does all: a key's features are joined by marks of its row and of its column
        position = F.contrib.arange_like(key, axis=2)
        row = F.floor((position + 0.5) / width)
        marks = F.concat(F.one_hot(row, height), F.one_hot(position - row * width, width), dim=1)
        marks = F.expand_dims(F.transpose(self.widen(F, marks)), axis=0)  # (1,H+W,HW)
        each = F.ones_like(F.slice_axis(F.slice_axis(key, axis=1, begin=0, end=1), axis=2, begin=0, end=1))
        marks = F.BlockGrad(F.broadcast_mul(marks, each))
        return F.batch_dot(F.concat(query, down, along, dim=2), F.concat(key, marks, dim=1))


def relative_to_absolute(F, products, length, inner, outer=1):
    """Products with vectors of distances -> products with the vectors of the positions 0 to length - 1.

    products: (B,pixels,2 length - 1), the pixels being outer x length x inner. Of a query at i the distance to
    position k is entry k - i + length - 1, so (B,pixels,length) is cut out row by row, each row one entry earlier:
    reading the whole as rows that are one entry shorter does that, without an index.
    """
    if length == 1:
        return products
    entries = 2 * length - 1
    flat = F.reshape(products, shape=(-1, length * inner * entries))
    shorter = inner * entries - 1
    flat = F.slice_axis(flat, axis=1, begin=length - 1, end=length - 1 + length * shorter)
    rows = F.reshape(flat, shape=(-1, length, shorter))
    rows = F.concat(rows, F.slice_axis(rows, axis=2, begin=0, end=1), dim=2)  # the entry that was lost is not read
    return F.slice_axis(F.reshape(rows, shape=(-1, outer * length * inner, entries)), axis=2, begin=0, end=length)
