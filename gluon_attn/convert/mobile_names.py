"""Which mobile network or RegNet of timm, torchvision and GluonCV one of ours is, and the other way round."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..models.base import MODELS
from ..models.library_names import MOBILE
from ..models.plan import Plan
from .tensors import Tensors

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
        library: a key of `library_names.MOBILE`.

    Returns:
        None if the library has no such network.
    """
    info = MODELS.get(recipe["model"])
    if recipe["plan"] != Plan(info.entries).to_dict():
        return None
    known = info.options()
    options = deciding({**known, **recipe["options"]})
    for name, (model, other) in MOBILE.get(library, {}).items():
        if model == recipe["model"] and deciding({**known, **other}) == options:
            return name
    return None


def mobile_candidates(tensors: Tensors, library: str) -> Iterator[dict[str, Any]]:
    """Options of a `ModelConfig` of each network that weights of a library may be of."""
    if any(sign in tensors for sign in _SIGNS[library]):
        for model, options in MOBILE[library].values():
            yield {"model": model, "model_options": options}


def deciding(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a network without those that change no tensor, to be compared: tuples are lists."""
    kept = {key: value for key, value in options.items() if key not in FREE}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in kept.items()}
