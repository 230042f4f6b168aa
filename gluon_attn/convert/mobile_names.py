"""Names of our mobile networks and RegNets in timm, torchvision and GluonCV, and the other way round."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..models.base import MODELS
from ..models.plan import Plan
from .tensors import Tensors

#: library -> name there -> (our model, options with another default there)
NAMES: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
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
#: our options that change no tensor
FREE = {"input_size", "last_gamma", "drop_rate", "drop_path", "dropblock_prob"}
#: names of tensors of which every such network has one
_SIGNS = {
    "torchvision": ("features.1.block.0.0.weight", "features.1.0.block.0.0.weight", "stem.0.weight"),
    "timm": ("conv_stem.weight", "stem.conv.weight"),
}


def mobile_name(recipe: Mapping[str, Any], library: str) -> str | None:
    """Name of a network in a library.

    Args:
        recipe: of our network.
        library: a key of `NAMES`.

    Returns:
        None if the library has no such network.
    """
    info = MODELS.get(recipe["model"])
    if recipe["plan"] != Plan(info.entries).to_dict():
        return None
    known = info.options()
    options = deciding({**known, **recipe["options"]})
    for name, (model, other) in NAMES.get(library, {}).items():
        if model == recipe["model"] and deciding({**known, **other}) == options:
            return name
    return None


def mobile_candidates(tensors: Tensors, library: str) -> Iterator[dict[str, Any]]:
    """Options of a `ModelConfig` of each network that weights of a library may be of."""
    if any(sign in tensors for sign in _SIGNS[library]):
        for model, options in NAMES[library].values():
            yield {"model": model, "model_options": options}


def deciding(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a network without those that change no tensor, to be compared: tuples are lists."""
    kept = {key: value for key, value in options.items() if key not in FREE}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in kept.items()}
