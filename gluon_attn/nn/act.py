"""Activations by name, as Gluon blocks: what an `act` slot holds when it holds no attention."""

from mxnet.gluon import HybridBlock, nn

from ..registry import Registry

ACTIVATIONS = Registry("activation")


@ACTIVATIONS.register("relu6")
class ReLU6(HybridBlock):
    """min(max(x, 0), 6), as in MobileNets."""

    def hybrid_forward(self, F, x):
        return F.clip(x, 0, 6)


for _name in ("relu", "sigmoid", "tanh"):
    ACTIVATIONS.register(_name)(lambda _name=_name: nn.Activation(_name))
for _name, _block in (
    ("prelu", nn.PReLU),
    ("elu", nn.ELU),
    ("selu", nn.SELU),
    ("gelu", nn.GELU),
    ("swish", nn.Swish),
):
    ACTIVATIONS.register(_name)(_block)


def get_activation(name):
    """A new activation block. Names: relu, relu6, prelu, elu, selu, gelu, swish, sigmoid, tanh."""
    return ACTIVATIONS.get(name)()
