"""Maps as heads of rows, and what heads do with them. Every function takes `F` first and reads no shape."""

from . import fast


def split_heads(F, maps, size):
    """(N,heads*size,H,W) -> (N*heads,size,HW)."""
    return F.reshape(F.reshape(maps, shape=(0, 0, -1)), shape=(-1, size, 0))


def attend(F, logits, values):
    """Mixtures of the values, for logits (B,queries,keys) and values (B,size,keys): (B,size,queries).

    The weights are a softmax over the keys; hand in float32 or wider.
    """
    return F.batch_dot(values, fast.softmax(F, logits), transpose_b=True)
