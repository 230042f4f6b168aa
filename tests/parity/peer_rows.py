"""Our networks and those of torchvision and timm that have the same weights: the rows of test_peers.py."""

from dataclasses import dataclass, field
from typing import Any

from gluon_attn import Plan
from gluon_attn.convert.library_weights import GROUPED, NETWORKS
from gluon_attn.models.library_names import MOBILE


@dataclass(frozen=True)
class Row:
    """A network here and there.

    Attributes:
        ours: name of our model.
        options: of `get_model`.
        library: "torchvision", "timm" or "pytorchcv".
        theirs: name of the network there.
        their_options: of its constructor there, besides the number of classes.
        size: height and width of the images.
        deep: whether it is one of the deep ones of a family, which only `make test-all` runs.
        guessed: whether `gluon-attn convert` tells the network from the tensors.
    """

    ours: str
    options: dict[str, Any]
    library: str
    theirs: str
    their_options: dict[str, Any] = field(default_factory=dict)
    size: int = 64
    deep: bool = False
    guessed: bool = True

    def __str__(self) -> str:
        """The test's name."""
        return "-".join([self.library, self.theirs, *map(str, self.their_options.values())])


def entry(slot, name, **options):
    """Options of ours for an attention in a slot."""
    return {"plan": Plan([{"slot": slot, "name": name, "options": options}])}


SE, ECA = {"attention": {"name": "se", "narrowest": 8}}, {"attention": "eca"}
SK1 = entry("conv1", "sk", groups=1, reduction=8, narrowest=16, split=True)
SK = {"attention": {"name": "sk", "groups": 1, "narrowest": 8, "split": True}}
TIERED, SWISH = {"stem": "tiered"}, {"activation": "swish"}
ONES, TWOS = {"blocks": [1, 1, 1, 1]}, {"blocks": [2, 2, 2, 2]}
T50 = {"stem": "tiered", "stem_pool": False}
T32 = {**T50, **SWISH, "blocks": [2, 3, 3, 2], "widths": [64, 128, 384, 384]}
T33 = {**T32, "final_width": 1280}

_DEEP = (101, 152, 200, 269)

_TORCHVISION = [
    *(Row(f"resnet{n}_v1b", {}, "torchvision", f"resnet{n}", deep=n in _DEEP) for n in (18, 34, 50, 101, 152)),
    Row("mobilenet_v2", {}, "torchvision", "mobilenet_v2"),
    *(
        Row(
            "mobilenet_v2",
            {"multiplier": width, "rounding": "nearest"},
            "torchvision",
            "mobilenet_v2",
            {"width_mult": width},
            guessed=False,
        )
        for width in (0.35, 0.75, 1.4)
    ),
]
_TIMM_RESNETS = [
    *(Row(f"resnet{n}_v1b", {}, "timm", f"resnet{n}", deep=n in _DEEP) for n in (18, 34, 50, 101, 152)),
    *(Row(f"resnet{n}_v1d", {}, "timm", f"resnet{n}d", deep=n in _DEEP) for n in (18, 34, 50, 101, 152)),
    *(
        Row(f"resnet{n}_v1b", {"stem": "deep", **width}, "timm", f"resnet{n}{letter}", deep=n in _DEEP)
        for n in (50, 101, 152)
        for letter, width in (("c", {}), ("s", {"stem_width": 64}))
    ),
    Row("resnet18_v1d", {**TIERED, **ONES}, "timm", "resnet10t"),
    Row("resnet50_v1d", {**TIERED, **ONES}, "timm", "resnet14t"),
    Row("resnet50_v1d", {**TIERED, **TWOS}, "timm", "resnet26t"),
    Row("resnet50_v1b", TWOS, "timm", "resnet26"),
    Row("resnet50_v1d", TWOS, "timm", "resnet26d"),
    Row("resnet50_v1d", TIERED, "timm", "resnet50t"),
    Row("resnet50_v1d", {"blocks": [3, 24, 36, 3]}, "timm", "resnet200d", deep=True),
    Row("resnet50_v1b", T32, "timm", "resnet32ts"),
    Row("resnet50_v1b", T33, "timm", "resnet33ts"),
]
_TIMM_ATTENTIONS = [
    *(Row(f"resnet{n}_v1b", SE, "timm", f"seresnet{n}", deep=n in _DEEP) for n in (18, 34, 50, 101, 152)),
    Row("se_resnet50", {}, "timm", "seresnet50"),
    Row("resnet152_v1d", SE, "timm", "seresnet152d", deep=True),
    Row("resnet50_v1d", {**SE, **TIERED}, "timm", "seresnet50t"),
    Row("resnet50_v1d", {**ECA, **TIERED, **TWOS}, "timm", "ecaresnet26t"),
    Row("resnet50_v1d", {**ECA, **TIERED}, "timm", "ecaresnet50t"),
    Row("resnet50_v1d", ECA, "timm", "ecaresnet50d"),
    Row("resnet101_v1d", ECA, "timm", "ecaresnet101d", deep=True),
    Row("resnet50_v1d", {**ECA, "blocks": [3, 30, 48, 8]}, "timm", "ecaresnet269d", deep=True),
    Row("resnet50_v1d", {**ECA, "stem": "large", "blocks": [1, 1, 11, 3]}, "timm", "ecaresnetlight"),
    Row("resnet18_v1b", SK1, "timm", "skresnet18"),
    Row("resnet34_v1b", SK1, "timm", "skresnet34"),
    Row("resnet50_v1b", SK, "timm", "skresnet50"),
    Row("resnet50_v1d", SK, "timm", "skresnet50d"),
    Row("resnet50_v1b", {**T50, **entry("inner", "gca", epsilon=1e-6)}, "timm", "gcresnet50t"),
    Row("resnet50_v1b", {**T33, **entry("inner", "gca", epsilon=1e-6)}, "timm", "gcresnet33ts"),
    Row("resnet50_v1b", {**T33, **entry("inner", "se", narrowest=8)}, "timm", "seresnet33ts"),
    Row("resnet50_v1b", {**T33, **entry("inner", "eca")}, "timm", "eca_resnet33ts"),
]
#: attention layers of timm in a network that has no name of its own there
_TIMM_LAYERS = [
    Row("resnet18_v1b", {"attention": ours}, "timm", "resnet18", {"block_args": {"attn_layer": layer}})
    for layer, ours in (
        ("se", {"name": "se", "narrowest": 8}),
        ("eca", "eca"),
        ("ese", "ese"),
        ("cbam", {"name": "cbam", "bias": False}),
        ("lcbam", "light_cbam"),
        ("gc", {"name": "gc", "epsilon": 1e-6}),
        ("gca", {"name": "gca", "epsilon": 1e-6}),
    )
]

_MOBILE = [
    Row(ours, options, library, name, deep=name[-2:] in ("b2", "b3", "b4") or ours.endswith("gf"))
    for library in ("torchvision", "timm")
    for name, (ours, options) in MOBILE[library].items()
]

_REPLACED = [  # what stands in place of the 3x3, and ResNeXts with a tiered stem
    *(
        Row(f"resnest{n}", {}, "timm", f"resnest{n}{letter}", size=64, deep=n > 50)
        for n, letter in ((14, "d"), (26, "d"), (50, "d"), (101, "e"), (200, "e"), (269, "e"))
    ),
    *(Row(f"skresnet{n}", {}, "timm", f"skresnet{n}") for n in (18, 34)),
    Row("skresnext50_32x4d", {}, "timm", "skresnext50_32x4d"),
    Row("botnet26t", {}, "timm", "botnet26t_256", size=256),
    Row("botnet26t", {"input_size": 64}, "timm", "botnet26t_256", {"img_size": 64}, guessed=False),
    Row("botnet50ts", {"input_size": 64}, "timm", "botnet50ts_256", {"img_size": 64}, deep=True, guessed=False),
    *(Row(name, {}, "timm", name, size=256, deep="50" in name) for name in ("halonet26t", "halonet50ts")),
    *(Row(name, {}, "timm", name, deep="50" in name) for name in ("lambda_resnet26t", "lambda_resnet50ts")),
    *(Row(f"{name}26ts", {}, "timm", f"{name}26ts") for name in ("seresnext", "eca_resnext", "gcresnext")),
    Row("gcresnext50ts", {}, "timm", "gcresnext50ts"),
    Row("bat_resnext26ts", {}, "timm", "bat_resnext26ts", size=256),
]

_GROUPED = [
    *(Row(name, {}, library, name, deep="101" in name) for library in NETWORKS for name in GROUPED),
    Row("resnext101_32x4d", {}, "timm", "resnext101_32x4d", deep=True),
    *(
        Row(f"se_resnext{name}", {}, "timm", f"seresnext{name}", deep="101" in name)
        for name in ("50_32x4d", "101_32x4d", "101_64x4d")
    ),
    Row("senet_154", {}, "timm", "legacy_senet154", deep=True),
]

ROWS = [*_TORCHVISION, *_TIMM_RESNETS, *_TIMM_ATTENTIONS, *_TIMM_LAYERS, *_MOBILE, *_REPLACED, *_GROUPED]

#: networks that the converters do not know there: their tensors go into ours in their order
CARRIED = [
    *(Row(f"sknet{n}", {}, "pytorchcv", f"sknet{n}", size=224, deep=n > 50) for n in (50, 101)),
    Row("eca_efficientnet_b0", {}, "timm", "efficientnet_b0", {"se_layer": "eca"}),
]
