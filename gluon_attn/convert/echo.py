"""digantamisra98/Echo (https://github.com/digantamisra98/Echo): its attentions."""

from .bam import bam_names
from .names import Source

SE = {"mlp.0": "ChannelGate.gate_c.gate_c_fc_0", "mlp.2": "ChannelGate.gate_c.gate_c_fc_final"}


def bam(block):
    """CBAM(bam=True) there."""
    return bam_names(block, "ChannelGate.gate_c.gate_c_", "dilatedGate.gate_s.gate_s_")


#: class of ours -> table
TABLES = {
    "se": SE,
    "cbam": {**SE, "conv": "SpatialGate.conv_bn.0", "norm": "SpatialGate.conv_bn.1"},
    "bam": bam,
    "triplet": {f"{gate}.{i}": f"{gate}.conv_bn.{i}" for gate in ("cw", "hc", "hw") for i in (0, 1)},
}
SOURCE = Source(tables=TABLES)
