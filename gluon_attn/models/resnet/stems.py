"""The first layers of a ResNet, up to its first norm."""

from mxnet.gluon import nn

from ...nn.layers import get_activation
from ...utils.checks import choice, positive, switch
from ...utils.errors import UserError
from .blocks import conv

#: stem -> its width unless told otherwise
WIDTHS = {"large": 64, "deep": 32, "tiered": 32, "small": 16}


def make_stem(design):
    """(the convolutions before the first norm, the maps that they make) of a `Design`, whose words it checks."""
    kind = choice("stem", design.stem, tuple(WIDTHS))
    width = WIDTHS[kind] if design.stem_width is None else positive("stem_width", design.stem_width)
    pooled = switch("stem_pool", design.stem_pool)
    if kind in ("deep", "tiered"):
        return _deep(design, width if kind == "deep" else _narrower(width), width, 1 if pooled else 2)
    if not pooled:
        raise UserError("stem_pool can be off in a deep or tiered stem only: its last convolution shrinks instead")
    kernel, stride = (7, 2) if kind == "large" else (3, 1)
    return conv(width, kernel, stride, 3, design.bias), width


def _deep(design, first, second, stride):
    """Three 3x3, norms and activations between them."""
    layers = nn.HybridSequential(prefix="stem_")
    with layers.name_scope():
        layers.add(conv(first, 3, 2, 3))
        for width, channels, step in ((first, second, 1), (second, 2 * second, stride)):
            layers.add(
                nn.BatchNorm(in_channels=width), get_activation(design.activation), conv(channels, 3, step, width)
            )
    return layers, 2 * second


def _narrower(width):
    if width < 4:
        raise UserError(f"a tiered stem needs a stem_width of 4 or more, got {width}")
    return 3 * (width // 4)
