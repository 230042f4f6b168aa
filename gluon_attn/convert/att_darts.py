"""Names of chomin/Att-DARTS (https://github.com/chomin/Att-DARTS): its attentions, cells and networks."""

from mxnet.gluon import HybridBlock, nn

from .echo import bam_names
from .names import NameMap, Table

CBAM = {
    "mlp.0": "_mask.ChannelAttention.mlp.1",
    "mlp.2": "_mask.ChannelAttention.mlp.3",
    "conv": "_mask.SpatialAttention.spatial.conv",
    "norm": "_mask.SpatialAttention.spatial.bn",
}


def bam(block: HybridBlock) -> Table:
    """The table of a `BAM`: as in BAM's own code, inside a mask."""
    return bam_names(block, "_mask.channel_att.gate_c.gate_c_", "_mask.spatial_att.gate_s.gate_s_")


def gather_excite(block: HybridBlock) -> Table:
    """The table of a Gather-Excite: a single step of the gathering has no number there."""
    layers = getattr(block, "gather", ())
    steps = [i for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2D)]
    names = {"mlp": "_mask.mlp"}
    for number, i in enumerate(steps):
        step = f"_mask.downop.{number}" if len(steps) > 1 else "_mask.downop"
        names |= {f"gather.{i}": f"{step}.dwconv", f"gather.{i + 1}": f"{step}.bn"}
    return names


SEQUENCE = {"": "op"}
CELL = {"first": "_first_layers", "second": "_second_layers", "bottleneck": "_bottleneck"}


def network(net: HybridBlock) -> Table:
    """The table of a `CellNetwork`: the network for CIFAR has one stem."""
    return {} if net.stem1 else {"stem0": "stem"}


NAME_MAP = NameMap(
    tables={
        "se": {"mlp.0": "_mask.excitation.0", "mlp.2": "_mask.excitation.2"},
        "bam": bam,
        "cbam": CBAM,
        "gather_excite": gather_excite,
        "a2": {
            "feature": "_mask.convA",
            "gather": "_mask.convB",
            "distribute": "_mask.convV",
            "expand": "_mask.convZ",
        },
        "cell": CELL,
        "cell_network": network,
        "mixed_edge": {"first": "first_layers", "second": "second_layers"},
        "search_cell": {"edges": "layers", "last": "bottleneck_attns"},
        "relu_conv_bn": SEQUENCE,
        "depthwise_convs": SEQUENCE,
    },
    # for training only; a network made with auxiliary=True has it
    unused=(r"auxiliary_head\..*",),
)
