"""Activations by name, as Gluon blocks: what an `act` slot holds when it holds no attention."""

from mxnet.gluon import nn

from ..registry import Registry

ACTIVATIONS = Registry("activation")

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
    """A new activation block. Names: relu, prelu, elu, selu, gelu, swish, sigmoid, tanh."""
    return ACTIVATIONS.get(name)()
