"""Depths, widths and attentions of the published networks, as rows of data; `models/zoo.py` makes models of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from .variants_conv import CONV_NAMED

#: ResNets for CIFAR: depth -> (block, blocks per stage). Three stages of 16, 32, 64 channels (bottlenecks: 4 times
#: that).
CIFAR_RESNET: dict[int, tuple[str, int]] = {
    20: ("basic", 3),
    32: ("basic", 5),
    44: ("basic", 7),
    56: ("basic", 9),
    110: ("basic", 18),
    164: ("bottleneck", 18),
}

#: wide ResNets for CIFAR: depth, and times as many channels as the narrow ones.
CIFAR_WIDE = ((16, 10), (28, 10), (40, 8), (52, 4))

#: ResNeXts for CIFAR: name -> (groups, width of each group in the first stage, widths of the stages, channels of the
#: stem, blocks per stage), as in `Design`.
CIFAR_RESNEXT: dict[str, tuple[int, int, tuple[int, ...], int, int]] = {
    "cifar_resnext29_16x64d": (16, 64, (64, 128, 256), 64, 3),
    "cifar_resnext29_32x4d": (32, 4, (64, 128, 256), 64, 3),
    "cifar_resnext101_8x32d": (8, 64, (32, 64, 128), 32, 11),
}

#: ResNets for ImageNet: depth -> (block, blocks of each stage). Four stages of 64 to 512 channels (bottlenecks: 4 times
#: that).
RESNET: dict[int, tuple[str, tuple[int, ...]]] = {
    18: ("basic", (2, 2, 2, 2)),
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
    152: ("bottleneck", (3, 8, 36, 3)),
}

#: ResNets for ImageNet with other channels inside their bottlenecks: name -> (depth, groups, width of each group in the
#: first stage, as in `Design`).
GROUPED: dict[str, tuple[int, int, int]] = {
    "resnext50_32x4d": (50, 32, 4),
    "resnext101_32x4d": (101, 32, 4),
    "resnext101_64x4d": (101, 64, 4),
    "resnext101_32x8d": (101, 32, 8),
    "wide_resnet50_2": (50, 1, 128),
    "wide_resnet101_2": (101, 1, 128),
}

#: SENet-154 without its attention: options of resnet152_v1b
SENET_154 = {
    "groups": 64,
    "base_width": 4,
    "reduce_first": 2,
    "shortcut_kernel": 3,
    "stem": "deep",
    "stem_width": 64,
    "stem_pad": False,
    "drop_rate": 0.2,
}

#: MobileNetV2: (expansion, channels, blocks, stride of the first) of each stage.
MOBILENET_V2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

#: attention -> plan entries of `NAME_resnetDEPTH`
_ATTENTIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "eca": ({"name": "eca"},),
    "se": ({"name": "se"},),
    "cbam": ({"name": "cbam"},),
    # as in the authors' code, whose counts and scores are the published ones
    "bam": ({"name": "bam", "slot": "stage", "stages": (1, 2, 3), "options": {"variant": "reference"}},),
    "sge": ({"name": "sge"},),
    "triplet": ({"name": "triplet"},),
}

#: kernel sizes of the released ECA-Nets: depth -> one per stage
_ECA_KERNELS = {18: (3, 5, 7, 7), 34: (3, 3, 5, 7), 50: (3, 5, 5, 7), 101: (3, 3, 5, 7), 152: (3, 3, 5, 7)}


def eca_entries(kernels: Mapping[int, Sequence[int]]) -> tuple[dict[str, Any], ...]:
    """Plan entries of ECA, as plain data. kernels: kernel size -> stages that have it."""
    return tuple({"name": "eca", "options": {"kernel_size": k}, "stages": stages} for k, stages in kernels.items())


def by_kernel(kernels: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Kernel size -> stages that have it, from `kernels`, the kernel size of each stage."""
    return {k: tuple(i for i, kernel in enumerate(kernels, 1) if kernel == k) for k in dict.fromkeys(kernels)}


_DIA = ({"name": "dia", "shared": True},)
_DIANET = {"input_norm": False, "end_norm": True}

#: models with their attention in their name: name -> (backbone, options with another default there, plan entries)
NAMED: dict[str, tuple[str, dict[str, Any], tuple[dict[str, Any], ...]]] = {
    **{
        f"{name}_resnet{depth}": (f"resnet{depth}_v1b", {}, entries)
        for name, entries in _ATTENTIONS.items()
        for depth in RESNET
    },
    **{
        f"eca_resnet{depth}_official": (f"resnet{depth}_v1b", {}, eca_entries(by_kernel(kernels)))
        for depth, kernels in _ECA_KERNELS.items()
    },
    **{
        f"se_{name}": (name, {}, ({"name": "se"},))
        for name in ("resnext50_32x4d", "resnext101_32x4d", "resnext101_64x4d")
    },
    # as in the authors' code: a norm ends each branch, and none precedes the first block
    "dia_cifar_preresnet164": ("cifar_resnet164_v2", _DIANET, _DIA),
    "dia_cifar_wideresnet52_4": ("cifar_wideresnet52_4", {**_DIANET, "stem_norm": False, "drop_rate": 0.3}, _DIA),
    "dia_cifar_resnext101_8x32d": ("cifar_resnext101_8x32d", {}, _DIA),
    "senet_154": ("resnet152_v1b", SENET_154, ({"name": "se"},)),
    "aa_resnet50": ("resnet50_v1b", {}, ({"name": "aa", "slot": "conv", "stages": (2, 3, 4)},)),
    "fa_resnet50": ("resnet50_v1b", {}, ({"name": "fa", "slot": "conv"},)),
    "ge_resnet50": ("resnet50_v1b", {}, ({"name": "ge_theta_plus"},)),
    # the kernels and the dropout of the released network: 1 below 96 channels
    "eca_mobilenet_v2": ("mobilenet_v2", {"drop_rate": 0.25}, eca_entries({1: (1, 2, 3, 4), 3: (5, 6, 7)})),
    "eca_mobilenet_v2_formula": ("mobilenet_v2", {"drop_rate": 0.25}, ({"name": "eca"},)),
    "eca_efficientnet_b0": ("efficientnet_b0", {}, ({"name": "eca", "slot": "inner"},)),
    **CONV_NAMED,
}
