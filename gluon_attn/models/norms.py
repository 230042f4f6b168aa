"""Another normalization layer in a whole network."""

from math import gcd

from mxnet.gluon import HybridBlock, nn

from ..attention.base import Attention
from ..nn.norm import GroupNorm
from ..utils.checks import choice

NORMS = ("batch", "group")
#: Wu & He 2018, https://arxiv.org/abs/1803.08494, table 3
GROUPS = 32


def with_norm(net: HybridBlock, norm: str) -> HybridBlock:
    """Change the normalization layers of a network in place.

    Args:
        net: an uninitialized network with batch normalization.
        norm: "batch": nothing changes. "group": each batch normalization that has a scale becomes a `GroupNorm` of 32
            groups (or of the greatest common divisor with the channels), under the same parameter names. Those inside
            attentions stay: their feature maps may be single pixels.

    Returns:
        `net`.

    Raises:
        UserError: another name.
    """
    if choice("norm", norm, NORMS) == "group":
        _replace(net)
    return net


def _replace(block):
    for name, child in list(block._children.items()):
        if isinstance(child, nn.BatchNorm) and child._kwargs["fix_gamma"] is False:
            _put(block, name, child)
        elif not isinstance(child, Attention):
            _replace(child)


def _put(block, name, old):
    channels = old.gamma.shape[0]
    with block.name_scope():
        new = GroupNorm(channels, gcd(GROUPS, channels))
    new.gamma.init = old.gamma.init  # zeros with last_gamma
    block._children[name] = new
    if hasattr(block, name):  # Gluon does not let an attribute change its type
        object.__setattr__(block, name, new)
