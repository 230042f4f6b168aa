"""Networks of timm, torchvision and GluonCV that have another name here, or other options by default."""

import re
from collections.abc import Mapping
from typing import Any

from ..config.files import one_word
from .variants_conv import SELECTIVE

#: mobile networks and RegNets: library -> name there -> (our model, options with another default there)
MOBILE: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "torchvision": {
        **{f"mobilenet_v3_{kind}": (f"mobilenet_v3_{kind}", {}) for kind in ("large", "small")},
        **{f"efficientnet_b{i}": (f"efficientnet_b{i}", {}) for i in range(5)},
        **{f"regnet_y_{size}": (f"regnety_{size}", {}) for size in ("400mf", "800mf", "1_6gf", "3_2gf")},
    },
    "timm": {
        **{f"mobilenetv3_{kind}_100": (f"mobilenet_v3_{kind}", {"epsilon": 1e-5}) for kind in ("large", "small")},
        **{f"efficientnet_b{i}": (f"efficientnet_b{i}", {}) for i in range(5)},
        "regnety_004": ("regnety_400mf", {}),
        "regnety_008": ("regnety_800mf", {"widths": [64, 128, 320, 768]}),
        "regnety_008_tv": ("regnety_800mf", {}),
        "regnety_016": ("regnety_1_6gf", {}),
        "regnety_032": ("regnety_3_2gf", {}),
        "mixnet_s": ("mixnet_s", {}),
    },
    "gluoncv": {f"mobilenetv3_{kind}": (f"mobilenetv3_{kind}", {}) for kind in ("large", "small")},
}
_DEPTHS = "(18|34|50|101|152)"
#: pattern of timm's names -> (our model, options, plan entry of its attention)
_RESNETS: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    (f"resnet{_DEPTHS}", "resnet{}_v1b", {}, {}),
    (f"resnet{_DEPTHS}d", "resnet{}_v1d", {}, {}),
    ("resnet(50|101|152)c", "resnet{}_v1b", {"stem": "deep"}, {}),
    ("resnet(50|101|152)s", "resnet{}_v1b", {"stem": "deep", "stem_width": 64}, {}),
    ("resnet(50)t", "resnet{}_v1d", {"stem": "tiered"}, {}),
    ("resnet26d", "resnet50_v1d", {"blocks": [2, 2, 2, 2]}, {}),
    ("seresnet(18|34)", "resnet{}_v1b", {}, {"name": "se", "options": {"narrowest": 8}}),
    ("seresnet(152)d", "resnet{}_v1d", {}, {"name": "se"}),
    ("seresnet(50)t", "resnet{}_v1d", {"stem": "tiered"}, {"name": "se"}),
    ("ecaresnet(50|101)d", "resnet{}_v1d", {}, {"name": "eca"}),
    ("ecaresnet(50)t", "resnet{}_v1d", {"stem": "tiered"}, {"name": "eca"}),
    ("skresnet(50)", "resnet{}_v1b", {}, SELECTIVE["bottleneck"]),
    ("skresnet(50)d", "resnet{}_v1d", {}, SELECTIVE["bottleneck"]),
)


def timm_network(name: str) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
    """The network of ours that has the tensors of timm's, and computes as that does.

    Args:
        name: of timm's network.

    Returns:
        (model, options, plan entry of its attention; {}: it has none, or one by its name), or None if none is known.
    """
    if name in MOBILE["timm"]:
        return *MOBILE["timm"][name], {}
    for pattern, model, options, entry in _RESNETS:
        if found := re.fullmatch(pattern, name):
            return model.format(*found.groups()), options, entry
    return None


def meant(name: str) -> str:
    """What a user of timm means by a name that is unknown here, in words; "" if that is unknown, too."""
    found = timm_network(name)
    if not found:
        return ""
    model, options, entry = found
    words = [f"option model_options {_pairs(options)}"] if options else []
    words += [f"option attention {entry['name']}"] if entry else []
    words += [f"option attention_options {_pairs(entry['options'])}"] if entry.get("options") else []
    return f"timm's {name} is {model}{' with ' * bool(words)}{' and '.join(words)} here"


def _pairs(options: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={one_word(value)}" for key, value in options.items())
