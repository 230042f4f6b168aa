"""Networks whose attention is in place of the 3x3 convolution, as rows of data."""

from typing import Any

#: depth -> (backbone, options of it with another default)
_RESNEST: dict[int, tuple[str, dict[str, Any]]] = {
    14: ("resnet50_v1d", {"blocks": (1, 1, 1, 1)}),
    26: ("resnet50_v1d", {"blocks": (2, 2, 2, 2)}),
    50: ("resnet50_v1d", {}),
    101: ("resnet101_v1d", {"stem_width": 64}),
    200: ("resnet50_v1d", {"blocks": (3, 24, 36, 3), "stem_width": 64, "drop_rate": 0.2, "input_size": 256}),
    269: ("resnet50_v1d", {"blocks": (3, 30, 48, 8), "stem_width": 64, "drop_rate": 0.2, "input_size": 320}),
}

#: block -> the plan entry of timm's selective kernels
SELECTIVE: dict[str, dict[str, Any]] = {
    "basic": {
        "name": "sk",
        "slot": "conv1",
        "options": {"groups": 1, "reduction": 8, "narrowest": 16, "split": True},
    },
    "bottleneck": {"name": "sk", "slot": "conv", "options": {"groups": 1, "narrowest": 8, "split": True}},
}

#: as `variants.NAMED`
CONV_NAMED: dict[str, tuple[str, dict[str, Any], tuple[dict[str, Any], ...]]] = {
    **{
        f"resnest{depth}": (backbone, options, ({"name": "split", "slot": "conv"},))
        for depth, (backbone, options) in _RESNEST.items()
    },
    **{f"skresnet{depth}": (f"resnet{depth}_v1b", {}, (SELECTIVE["basic"],)) for depth in (18, 34)},
}
