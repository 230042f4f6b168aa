"""The counterpart of a network of ours in timm, torchvision or GluonCV: its name there and its options."""

import re
from collections.abc import Mapping
from typing import Any

from mxnet.gluon import HybridBlock

from ..models import variants, variants_conv
from ..models.mobile_network import MobileNetwork
from ..models.regnet import RegNet
from ..models.resnet.design import Design
from ..models.resnet.torch_resnet import TorchResNet
from ..utils.errors import UserError
from .library_call import Counterpart
from .mobile_names import FREE, mobile_name
from .timm_models import timm_call

#: our networks that have the same names in GluonCV
_GLUONCV = re.compile(r"cifar_resnet\d+_v[12]|cifar_wideresnet(16_10|28_10|40_8)|resnet\d+_v(1|2|1b|1d)")
_GLUONCV_SE = re.compile(r"resnet\d+_v[12]")
_RESNEXT = re.compile(r"(cifar_)?resnext\d+_\d+x\d+d")
_SE_RESNEXT = ("50_32x4d", "101_32x4d", "101_64x4d")
#: library -> our networks whose names there follow from ours
OWN = {
    "gluoncv": {name: name for name in variants_conv.CONV_NAMED if name.startswith("resnest")},
    "timm": {
        **{name: f"{name}_256" if "bot" in name else name for name in (*variants_conv.BYOB, "skresnext50_32x4d")},
        **{name: name for name in variants.GROUPED},
        **{f"se_resnext{name}": f"seresnext{name}" for name in _SE_RESNEXT},
        "senet_154": "legacy_senet154",
    },
    "torchvision": {name: name for name in variants.GROUPED if name != "resnext101_32x4d"},
}
_MOBILENETS = {share: f"mobilenetv2_{share}" for share in (1.0, 0.75, 0.5, 0.25)}
#: ours that GluonCV or torchvision has not
_OURS = {"resnext101_32x8d", "cifar_resnext101_8x32d"}


def counterpart(net: HybridBlock, library: str) -> Counterpart | None:
    """The counterpart of a network.

    Args:
        net: a network of `get_model`.
        library: "timm", "torchvision" or "gluoncv".

    Returns:
        None if the library has no such network.
    """
    recipe = net.recipe
    if isinstance(net, (MobileNetwork, RegNet)):
        name = mobile_name(recipe, library)
        key = "classes" if library == "gluoncv" else "num_classes"
        return Counterpart(library, name, {key: recipe["classes"]}) if name else None
    own = _own(recipe, library)
    if own:
        return own
    base, attention = _parts(recipe["model"], (recipe["plan"] or {}).get("entries", []))
    if not base or "norm" in recipe["options"]:
        return None
    classes = recipe["classes"]
    if library == "gluoncv":
        name = _gluoncv(base, attention, recipe["options"])
        return Counterpart(library, name, {"classes": classes}) if name else None
    if isinstance(net, TorchResNet) and library == "timm":
        made = timm_call(net, attention)
    else:
        name = _torchvision(net, base) if library == "torchvision" and attention is None else None
        width = net.recipe["options"].get("multiplier", 1)
        made = name and (name, {} if width == 1 else {"width_mult": width})
    return Counterpart(library, made[0], {"num_classes": classes, **made[1]}) if made else None


def _own(recipe: Mapping[str, Any], library: str) -> Counterpart | None:
    """The counterpart of a network with a name of its own there, or None."""
    name = OWN.get(library, {}).get(recipe["model"])
    if name is None or not set(recipe["options"]) <= FREE or (recipe["plan"] or {}).get("entries"):
        return None
    options = {"classes" if library == "gluoncv" else "num_classes": recipe["classes"]}
    if "bot" in name and "input_size" in recipe["options"]:
        options["img_size"] = recipe["options"]["input_size"]
    return Counterpart(library, name, options)


def needed_counterpart(net: HybridBlock, library: str) -> Counterpart:
    """The counterpart of a network, which must exist.

    Args:
        net, library: as of `counterpart`.

    Raises:
        UserError: the library has no such network.
    """
    found = counterpart(net, library)
    if found is None:
        raise UserError(f"{library} has no network like this {net.recipe['model']}: its weights fit no network there")
    return found


def _parts(model, entries):
    """(backbone, plan entry of its only attention, which every block or stage has, or None); "" for other networks."""
    from ..models.factory import model_info

    info = model_info(model)
    entries = list(info.entries) if info.own_plan else entries
    base = info.backbone or model
    if model == "senet_154":  # a resnet152_v1b with options of its own
        return model, dict(info.entries[0])
    if not entries:
        return (base, None) if info.backbone or not info.own_plan else ("", None)
    entry = {"options": {}, "slot": "post", "shared": False, "scheme": None, "stages": None, **entries[0]}
    if len(entries) > 1 or entry["shared"] or entry["scheme"] or entry["stages"]:
        return "", None
    return base, {**entry, "options": dict(entry["options"])}


def _gluoncv(base, attention, options):
    """Name of a network there, or None."""
    if base == "senet_154":
        return base if set(options) <= FREE else None
    if base == "mobilenet_v2" and attention is None and set(options) <= {*FREE, "multiplier"}:
        return _MOBILENETS.get(options.get("multiplier", 1))
    if not set(options) <= FREE:
        return None
    if _RESNEXT.fullmatch(base) and base not in _OURS:
        gate = attention and (attention["name"], attention["slot"], attention["options"])
        return base if not gate else f"se_{base}" if gate == ("se", "post", {}) else None
    if not _GLUONCV.fullmatch(base):
        return None
    if attention is None:
        return base
    plain = attention["slot"] == "post" and attention["name"] == "se" and attention["options"] == {"bias": False}
    return f"se_{base}" if plain and _GLUONCV_SE.fullmatch(base) else None


def _torchvision(net, base):
    """Name of a network without attention, or None."""
    if isinstance(net, TorchResNet):
        depths = {row: depth for depth, row in variants.RESNET.items()}
        depth, design = depths.get((net.design.kind, net.blocks)), net.design
        if depth is None or design != Design(design.kind, groups=design.groups, base_width=design.base_width):
            return None
        inside = (depth, design.groups, design.base_width)
        named = {variants.GROUPED[name]: name for name in OWN["torchvision"]}
        return f"resnet{depth}" if inside[1:] == (1, 64) else named.get(inside)
    options = net.recipe["options"]
    known = options.get("multiplier", 1) == 1 or options.get("rounding") == "nearest"
    return base if base == "mobilenet_v2" and known else None
