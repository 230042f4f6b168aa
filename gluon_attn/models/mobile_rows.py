"""Sizes and squeeze-and-excitation of the mobile networks, as rows of data; `models/zoo.py` makes models of them."""

from typing import Any

_Entries = tuple[dict[str, Any], ...]

_ReLU, _Hard = "relu", "hard_swish"
#: MobileNetV3: for each stage its blocks, (kernel, hidden channels, channels, activation, stride)
MOBILENET_V3: dict[str, tuple[tuple[tuple[int, int, int, str, int], ...], ...]] = {
    "large": (
        ((3, 16, 16, _ReLU, 1),),
        ((3, 64, 24, _ReLU, 2), (3, 72, 24, _ReLU, 1)),
        ((5, 72, 40, _ReLU, 2), *((5, 120, 40, _ReLU, 1),) * 2),
        ((3, 240, 80, _Hard, 2), (3, 200, 80, _Hard, 1), *((3, 184, 80, _Hard, 1),) * 2),
        ((3, 480, 112, _Hard, 1), (3, 672, 112, _Hard, 1)),
        ((5, 672, 160, _Hard, 2), *((5, 960, 160, _Hard, 1),) * 2),
    ),
    "small": (
        ((3, 16, 16, _ReLU, 2),),
        ((3, 72, 24, _ReLU, 2), (3, 88, 24, _ReLU, 1)),
        ((5, 96, 40, _Hard, 2), *((5, 240, 40, _Hard, 1),) * 2),
        ((5, 120, 48, _Hard, 1), (5, 144, 48, _Hard, 1)),
        ((5, 288, 96, _Hard, 2), *((5, 576, 96, _Hard, 1),) * 2),
    ),
}
#: stages with squeeze-and-excitation
_MOBILENET_V3_SE = {"large": (3, 5, 6), "small": (1, 3, 4, 5)}

#: EfficientNet-B0: (expansion, kernel, stride, channels, blocks) of each stage
EFFICIENTNET = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
#: name -> (factor of the channels, of the blocks, height of the images, dropout)
EFFICIENTNETS: dict[str, tuple[float, float, int, float]] = {
    "b0": (1.0, 1.0, 224, 0.2),
    "b1": (1.0, 1.1, 240, 0.2),
    "b2": (1.1, 1.2, 260, 0.3),
    "b3": (1.2, 1.4, 300, 0.3),
    "b4": (1.4, 1.8, 380, 0.4),
}

#: MixNet: (channels of the stem, of the head, for each stage its blocks: (number, kernels, expansion, channels, stride,
#: activation, parts of the first and of the last 1x1 convolution))
MIXNET: dict[
    str, tuple[int, int, tuple[tuple[tuple[int, tuple[int, ...], int, int, int, str, int, int], ...], ...]]
] = {
    "small": (
        16,
        1536,
        (
            ((1, (3,), 1, 16, 1, "relu", 1, 1),),
            ((1, (3,), 6, 24, 2, "relu", 2, 2), (1, (3,), 3, 24, 1, "relu", 2, 2)),
            ((1, (3, 5, 7), 6, 40, 2, "silu", 1, 1), (3, (3, 5), 6, 40, 1, "silu", 2, 2)),
            ((1, (3, 5, 7), 6, 80, 2, "silu", 1, 2), (2, (3, 5), 6, 80, 1, "silu", 1, 2)),
            ((1, (3, 5, 7), 6, 120, 1, "silu", 2, 2), (2, (3, 5, 7, 9), 3, 120, 1, "silu", 2, 2)),
            ((1, (3, 5, 7, 9, 11), 6, 200, 2, "silu", 1, 1), (2, (3, 5, 7, 9), 6, 200, 1, "silu", 1, 2)),
        ),
    ),
}

#: RegNetY: name -> (widths, blocks of each stage, width of a group)
REGNETY: dict[str, tuple[tuple[int, ...], tuple[int, ...], int]] = {
    "400mf": ((48, 104, 208, 440), (1, 3, 6, 6), 8),
    "800mf": ((64, 144, 320, 784), (1, 3, 8, 2), 16),
    "1_6gf": ((48, 120, 336, 888), (2, 6, 17, 2), 24),
    "3_2gf": ((72, 216, 576, 1512), (2, 5, 13, 1), 24),
}


def _inner(name: str, options: dict[str, Any], stages: tuple[int, ...] | None = None) -> dict[str, Any]:
    return {"name": name, "slot": "inner", "options": options, **({"stages": stages} if stages else {})}


def hard_entries(kind: str, rounding: str = "nearest") -> _Entries:
    """Plan entries of MobileNetV3. kind: "large" or "small". rounding: of the hidden width, up in GluonCV."""
    options = {"reduction": 4, "rounding": rounding, "gate": "hard_sigmoid"}
    return (_inner("se", options, _MOBILENET_V3_SE[kind]),)


#: plan entries: hidden layers of a quarter of the block's input
EFFICIENTNET_SE: _Entries = (_inner("se", {"reduction": 4, "activation": "silu", "block_channels": "input"}),)
REGNETY_SE: _Entries = (_inner("se", {"reduction": 4, "block_channels": "input"}),)
#: of a half or a quarter
MIXNET_SE: _Entries = (
    _inner("se", {"reduction": 2, "activation": "silu", "block_channels": "input"}, (3, 5, 6)),
    _inner("se", {"reduction": 4, "activation": "silu", "block_channels": "input"}, (4,)),
)
