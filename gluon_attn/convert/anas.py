"""DangChuong-DC/Attention-Neural-Architecture-Search: searched cells, its SE-ResNets, its networks for CIFAR."""

from .names import Source

SEQUENCE = {"": "op"}
MIXTURE = {"": "m_ops"}
SOURCE = Source(
    tables={
        "se": {"mlp": "fc"},
        "anas": {"ops": "_ops"},
        "mixed_attention": {"edges": "cell_ops"},
        "mixed_op": MIXTURE,
        "shared_attention": {"cell": "", "alphas": "^.^.^.alphas"},
        "relu_conv_bn": SEQUENCE,
        "depthwise_convs": SEQUENCE,
        "residual": [{"post": "att"}, {"post": "se"}],
    }
)
