"""Names of digantamisra98/Echo (https://github.com/digantamisra98/Echo): its attentions."""

from collections.abc import Sequence
from typing import Any

from mxnet.gluon import HybridBlock, nn

from .names import NameMap, Table

SE = {"mlp.0": "ChannelGate.gate_c.gate_c_fc_0", "mlp.2": "ChannelGate.gate_c.gate_c_fc_final"}


def bam(block: HybridBlock) -> Table:
    """The table of a `BAM`, CBAM(bam=True) there."""
    return bam_names(block, "ChannelGate.gate_c.gate_c_", "dilatedGate.gate_s.gate_s_")


def bam_names(block: HybridBlock, channel: str, space: str) -> Table:
    """The table of a BAM block as its authors' code names the layers; Echo and Att-DARTS copied that code.

    Our layers are numbered; there each has a name.

    Args:
        block: our BAM.
        channel: prefix of the names of the channel branch.
        space: prefix of the names of the spatial branch.
    """
    hidden, dilated = _num_convs(block.channel) - 1, _num_convs(block.space) - 2
    dense = [f"fc_{i}" for i in range(hidden)] + ["fc_final"]
    dense_norms = [f"bn_{i + 1}" for i in range(hidden)] + ["bn_final"]
    steps = ["reduce0", *(f"di_{i}" for i in range(dilated)), "final"]
    return {
        **_branch("channel", block.channel, channel, dense, dense_norms),
        **_branch("space", block.space, space, [f"conv_{step}" for step in steps], [f"bn_{step}" for step in steps]),
    }


def _branch(
    name: str, layers: nn.HybridSequential, prefix: str, convs: Sequence[str], norms: Sequence[str]
) -> dict[str, str]:
    """Our path of each convolution, and of the norm after it -> theirs."""
    names, step = {}, -1
    for i, layer in enumerate(layers):
        is_conv = isinstance(layer, nn.Conv2D)
        step += is_conv
        if not isinstance(layer, nn.Activation):
            names[f"{name}.{i}"] = prefix + (convs if is_conv else norms)[step]
    return names


def _num_convs(layers):
    return sum(isinstance(layer, nn.Conv2D) for layer in layers)


#: `reference_key` of our class -> table
TABLES: dict[str, Any] = {
    "se": SE,
    "cbam": {**SE, "conv": "SpatialGate.conv_bn.0", "norm": "SpatialGate.conv_bn.1"},
    "bam": bam,
    "triplet": {f"{gate}.{i}": f"{gate}.conv_bn.{i}" for gate in ("cw", "hc", "hw") for i in (0, 1)},
}
NAME_MAP = NameMap(tables=TABLES)
