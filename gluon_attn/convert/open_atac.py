"""YimianDai/open-atac (Gluon): attentional activations and the networks with them, by structural names."""

from .names import Source


def attentional(block):
    """Its pooling and its inner ReLU, where they are, count as layers there."""
    names, theirs = {}, int(block._global_pool)
    for ours in range(len(block.mlp)):
        names[f"mlp.{ours}"] = f"module.{theirs + ours}"
    return names


SOURCE = Source(
    tables={
        "cha_atac": attentional,
        "gluon_block_v2": {f"act{i}": f"msAA{i}" for i in (1, 2, 3)},
    },
    leaves={},
    parallel=False,
    gluon=True,
)
