"""The first layers of a `TorchResNet`, up to its first norm."""

from mxnet.gluon import HybridBlock, nn

from ...nn.layers import get_activation
from ...utils.checks import choice, positive, switch
from ...utils.errors import UserError
from .design import Design
from .layers import conv

#: stem -> its default width
STEM_WIDTHS = {"large": 64, "deep": 32, "tiered": 32, "small": 16}


def make_stem(design: Design) -> tuple[HybridBlock, int]:
    """The convolutions before the first norm.

    Args:
        design: its `stem`, `stem_width` and `stem_pool` are checked here.

    Returns:
        The layers, N,3,H,W -> N,channels,H/stride,W/stride, and the number of channels.

    Raises:
        UserError: an option is wrong, or two do not go together.
    """
    kind = choice("stem", design.stem, tuple(STEM_WIDTHS))
    width = STEM_WIDTHS[kind] if design.stem_width is None else positive("stem_width", design.stem_width)
    pooled = switch("stem_pool", design.stem_pool)
    if kind in ("deep", "tiered"):
        return _deep(design, width if kind == "deep" else _three_quarters(width), width, 1 if pooled else 2)
    if not pooled:
        raise UserError("stem_pool can be off in a deep or tiered stem only: its last convolution has stride 2 instead")
    kernel, stride = (7, 2) if kind == "large" else (3, 1)
    return conv(width, kernel, stride, 3, design.bias), width


def _deep(design, first, second, stride):
    """Three 3x3 convolutions, norms and activations between them."""
    layers = nn.HybridSequential(prefix="stem_")
    with layers.name_scope():
        layers.add(conv(first, 3, 2, 3))
        for width, channels, step in ((first, second, 1), (second, 2 * second, stride)):
            layers.add(
                nn.BatchNorm(in_channels=width), get_activation(design.activation), conv(channels, 3, step, width)
            )
    return layers, 2 * second


def _three_quarters(width):
    if width < 4:
        raise UserError(f"a tiered stem needs a stem_width of 4 or more, got {width}")
    return 3 * (width // 4)
