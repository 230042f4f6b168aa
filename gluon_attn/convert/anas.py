"""Names of DangChuong-DC/Attention-Neural-Architecture-Search: searched attentions, and its ResNets for CIFAR."""

from .names import NameMap

SEQUENCE = {"": "op"}
MIXTURE = {"": "m_ops"}
NAME_MAP = NameMap(
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
