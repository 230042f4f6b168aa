"""Networks whose attention is in place of the 3x3 convolution, and timm's with their stem, as rows of data."""

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

#: bodies of timm's networks with self-attention: name -> (options, one 1 for each block that has it)
_BODIES: dict[str, tuple[dict[str, Any], str]] = {
    "26t": ({"blocks": (2, 2, 2, 2), "stem": "tiered", "input_size": 256}, "00000111"),
    "50ts": ({"stem": "tiered", "activation": "swish", "input_size": 256}, "0000001010101010"),
}
_HALO = {"name": "halo", "slot": "conv", "options": {"variant": "timm"}}
#: name -> (body, plan entries without the scheme)
_SELF_ATTENTION: dict[str, tuple[str, tuple[dict[str, Any], ...]]] = {
    **{f"botnet{body}": (body, ({"name": "bot", "slot": "conv", "options": {"variant": "timm"}},)) for body in _BODIES},
    "halonet26t": ("26t", ({**_HALO, "options": {"variant": "timm", "halo": 2}},)),
    "halonet50ts": (
        "50ts",
        ({**_HALO, "stages": (2,), "options": {"variant": "timm", "heads": 4}}, {**_HALO, "stages": (3, 4)}),
    ),
    **{
        f"lambda_resnet{body}": (
            body,
            ({"name": "lambda", "slot": "conv", "options": {"variant": "timm", "kernel_size": 9}},),
        )
        for body in _BODIES
    },
}
#: timm's ResNeXts with a tiered stem: name -> (blocks, plan entry)
_RESNEXT: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "seresnext26ts": ((2, 2, 2, 2), {"name": "se", "options": {"narrowest": 8}}),
    "eca_resnext26ts": ((2, 2, 2, 2), {"name": "eca"}),
    "gcresnext26ts": ((2, 2, 2, 2), {"name": "gca", "options": {"epsilon": 1e-6}}),
    "gcresnext50ts": ((3, 4, 6, 3), {"name": "gca", "options": {"epsilon": 1e-6}}),
    "bat_resnext26ts": ((2, 2, 2, 2), {"name": "bat", "options": {"block_size": 8}}),
}
_TS = {"stem": "tiered", "activation": "swish", "group_size": 32, "input_size": 256}

#: of the large EPSANets, twice as wide inside, 32 groups in each part. Their kernels are in no published code: 3, 5, 7
#: and 9 give 30.10 M weights, the published 27.90 M and 49.59 M are those of 3, 5, 5, 7 and also of 3, 3, 3, 9
_LARGE_PSA = {"name": "psa", "slot": "conv", "options": {"kernels": [3, 5, 5, 7], "groups": [32] * 4}}
#: names of those that are of timm's class ByobNet
BYOB = (*_SELF_ATTENTION, *_RESNEXT)

#: as `variants.NAMED`
CONV_NAMED: dict[str, tuple[str, dict[str, Any], tuple[dict[str, Any], ...]]] = {
    **{
        f"resnest{depth}": (backbone, options, ({"name": "split", "slot": "conv"},))
        for depth, (backbone, options) in _RESNEST.items()
    },
    **{f"skresnet{depth}": (f"resnet{depth}_v1b", {}, (SELECTIVE["basic"],)) for depth in (18, 34)},
    **{
        name: (f"resnet{depth}_v1b", {"groups": 32, "base_width": 4}, ({"name": "sk", "slot": "conv"},))
        for name, depth in (("skresnext50_32x4d", 50), ("sknet50", 50), ("sknet101", 101))
    },
    **{f"cotnet{depth}": (f"resnet{depth}_v1b", {}, ({"name": "cot", "slot": "conv"},)) for depth in (50, 101)},
    **{f"epsanet{depth}": (f"resnet{depth}_v1b", {}, ({"name": "psa", "slot": "conv"},)) for depth in (50, 101)},
    **{f"epsanet{depth}_large": (f"resnet{depth}_v1b", {"base_width": 128}, (_LARGE_PSA,)) for depth in (50, 101)},
    **{
        name: ("resnet50_v1b", _BODIES[body][0], tuple({**entry, "scheme": _BODIES[body][1]} for entry in entries))
        for name, (body, entries) in _SELF_ATTENTION.items()
    },
    **{
        name: ("resnet50_v1b", {"blocks": blocks, **_TS}, ({"slot": "inner", **entry},))
        for name, (blocks, entry) in _RESNEXT.items()
    },
}
