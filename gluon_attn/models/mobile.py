"""MobileNetV3, EfficientNet and MixNet.

Howard et al. 2019, https://arxiv.org/abs/1905.02244; Tan & Le 2019, https://arxiv.org/abs/1905.11946 and
https://arxiv.org/abs/1907.09595.
"""

import math
from functools import partial

from ..nn.channel_attention import ROUNDINGS
from ..utils.checks import above, choice, positive
from . import mobile_rows
from .inverted import InvertedRow
from .mobile_network import MobileNetwork
from .plan import Plan
from .slots import scaled_channels


def mobilenet_v3(
    kind: str,
    plan: Plan,
    classes: int,
    *,
    last: int,
    last_bias: bool = True,
    multiplier: float = 1.0,
    rounding: str = "nearest",
    epsilon: float = 1e-3,
    input_size: int = 224,
    drop_rate: float = 0.2,
) -> MobileNetwork:
    """MobileNetV3, as torchvision has it by default.

    Args:
        kind: "large" or "small".
        plan, classes, input_size, drop_rate, epsilon: as of `MobileNetwork`. GluonCV and timm have an epsilon of 1e-5.
        last: width of the dense layer before the classifier.
        last_bias: that layer has a bias; in GluonCV it has none.
        multiplier: factor of all numbers of channels but `last`.
        rounding: of those, as of `nn.channel_attention.rounded_channels`; GluonCV rounds up.

    Raises:
        UserError: an option is wrong, or the plan does not fit.
    """
    scaled = partial(scaled_channels, above("multiplier", multiplier), choice("rounding", rounding, ROUNDINGS))
    stages = [
        [
            InvertedRow((kernel,), scaled(hidden), scaled(channels), stride, activation)
            for kernel, hidden, channels, activation, stride in rows
        ]
        for rows in mobile_rows.MOBILENET_V3[kind]
    ]
    full = mobile_rows.MOBILENET_V3[kind][-1][-1][1]  # the hidden channels of the last block
    return MobileNetwork(
        stages, scaled(16), scaled(full), "hard_swish", plan, classes, hidden=positive("last", last),
        hidden_bias=last_bias, input_size=input_size, drop_rate=drop_rate, epsilon=epsilon,
        momentum=0.99 if epsilon == 1e-3 else 0.9,
    )  # fmt: skip


def efficientnet(
    plan: Plan,
    classes: int,
    *,
    width: float = 1.0,
    depth: float = 1.0,
    epsilon: float = 1e-5,
    input_size: int = 224,
    drop_rate: float = 0.2,
) -> MobileNetwork:
    """EfficientNet.

    Args:
        plan, classes, input_size, drop_rate, epsilon: as of `MobileNetwork`.
        width: factor of all numbers of channels, which are rounded to multiples of 8.
        depth: factor of the number of blocks in each stage, which are rounded up.

    Raises:
        UserError: an option is wrong, or the plan does not fit.
    """
    scaled, depth = partial(scaled_channels, above("width", width), "nearest"), above("depth", depth)
    before, stages = scaled(32), []
    for expansion, kernel, stride, full, count in mobile_rows.EFFICIENTNET:
        rows, channels = [], scaled(full)
        for i in range(math.ceil(round(count * depth, 6))):
            rows.append(InvertedRow((kernel,), expansion * before, channels, 1 if i else stride, "silu"))
            before = channels
        stages.append(rows)
    return MobileNetwork(
        stages, scaled(32), scaled(1280), "silu", plan, classes, input_size=input_size, drop_rate=drop_rate,
        epsilon=epsilon,
    )  # fmt: skip


def mixnet(
    kind: str,
    plan: Plan,
    classes: int,
    *,
    multiplier: float = 1.0,
    epsilon: float = 1e-5,
    input_size: int = 224,
    drop_rate: float = 0.2,
) -> MobileNetwork:
    """MixNet.

    Args:
        kind: "small".
        plan, classes, input_size, drop_rate, epsilon: as of `MobileNetwork`.
        multiplier: factor of all numbers of channels but those of the head, which are rounded to multiples of 8.

    Raises:
        UserError: an option is wrong, or the plan does not fit.
    """
    stem, head, table = mobile_rows.MIXNET[kind]
    scaled = partial(scaled_channels, above("multiplier", multiplier), "nearest")
    before, stages = scaled(stem), []
    for groups in table:
        rows = []
        for count, kernels, expansion, full, stride, activation, expand, project in groups:
            for _ in range(count):
                channels = scaled(full)
                rows.append(
                    InvertedRow(kernels, expansion * before, channels, stride, activation, expand, project)
                )  # fmt: skip
                before = channels
        stages.append(rows)
    return MobileNetwork(
        stages, scaled(stem), head, "relu", plan, classes, input_size=input_size, drop_rate=drop_rate, epsilon=epsilon
    )  # fmt: skip
