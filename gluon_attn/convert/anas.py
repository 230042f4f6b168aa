"""DangChuong-DC/Attention-Neural-Architecture-Search: searched cells, its SE-ResNets, its networks for CIFAR."""

from .names import Source

SEQUENCE = {"": "op"}
MIXTURE = {"": "m_ops"}
SOURCE = Source(
    tables={
        "SE": {"mlp": "fc"},
        "ANAS": {"ops": "_ops"},
        "MixedAttention": {"edges": "cell_ops"},
        "Mixture": MIXTURE,
        "SharedAttention": {"cell": "", "alphas": "^.^.^.alphas"},
        "ReLUConvBN": SEQUENCE,
        "DepthwiseConvs": SEQUENCE,
        "Residual": [{"post": "att"}, {"post": "se"}],
    }
)
