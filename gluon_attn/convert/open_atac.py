"""Names of YimianDai/open-atac (Gluon): attentional activations and its networks, by structural names."""

from mxnet.gluon import HybridBlock

from .names import NameMap, Table


def attentional(block: HybridBlock) -> Table:
    """The table of a `ChaATAC`: the optional pooling and inner ReLU count as layers there."""
    names, theirs = {}, int(block._global_pool)
    for ours in range(len(block.mlp)):
        names[f"mlp.{ours}"] = f"module.{theirs + ours}"
    return names


NAME_MAP = NameMap(
    tables={
        "cha_atac": attentional,
        "gluon_block_v2": {f"act{i}": f"msAA{i}" for i in (1, 2, 3)},
    },
    leaves={},
    gluon=True,
)
