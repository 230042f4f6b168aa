"""Branches of one network weighed against each other, as in selective kernels and split attention."""

from . import fast


def shares(F, logits, count, *, groups=1):
    """Softmax across `count` branches: logits (N,count*C,1,1) -> `count` arrays (N,C,1,1) that sum to 1.

    The channels are ordered by group, in it by branch. Give wide logits: see `stats.InFloat32`.
    """
    split = F.reshape(logits, shape=(0, groups, count, -1))
    parts = F.SliceChannel(F.softmax(split, axis=2), num_outputs=count, axis=2)
    return [F.reshape(part, shape=(0, -1, 1, 1)) for part in parts]


def mixed(F, maps, gates):
    """Sum of maps (N,C,H,W), each times its gate (N,C,1,1)."""
    return F.add_n(*[fast.channel_gate(F, x, gate) for x, gate in zip(maps, gates, strict=True)])
