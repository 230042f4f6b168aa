"""timm's names of our ResNets, and the arguments of `timm.create_model` for those without a name of their own."""

from typing import Any

from ..models import variants, variants_conv
from ..models.resnet.design import Design
from ..models.resnet.stems import STEM_WIDTHS
from ..models.resnet.torch_resnet import TorchResNet

#: our attention -> (timm's attn_layer, options that ours must have for it)
_LAYERS = {
    "se": ("se", {"narrowest": 8}),
    "ese": ("ese", {}),
    "eca": ("eca", {}),
    "ceca": ("ceca", {}),
    "cbam": ("cbam", {"bias": False}),
    "light_cbam": ("lcbam", {}),
    "gc": ("gc", {"epsilon": 1e-6}),
    "gca": ("gca", {"epsilon": 1e-6}),
}
#: block -> our (slot, options) of timm's selective kernels
SELECTIVE = {kind: (entry["slot"], entry["options"]) for kind, entry in variants_conv.SELECTIVE.items()}
_DEPTHS = {
    **{row: depth for depth, row in variants.RESNET.items()},
    ("basic", (1, 1, 1, 1)): 10,
    ("bottleneck", (1, 1, 1, 1)): 14,
    ("bottleneck", (2, 2, 2, 2)): 26,
    ("bottleneck", (3, 24, 36, 3)): 200,
}
#: (shortcut, stem, its width) -> letter after the depth
_LETTERS = {
    ("conv", "large", 64): "",
    ("conv", "deep", 32): "c",
    ("conv", "deep", 64): "s",
    ("average", "deep", 32): "d",
    ("average", "tiered", 32): "t",
}
_NAMES = {f"resnet{depth}{letter}" for depth in (50, 101, 152) for letter in ("", "c", "d", "s")} | {
    f"resnet{name}" for name in ("10t", "14t", "18", "18d", "26", "26d", "26t", "34", "34d", "50t", "200", "200d")
}
_SELECTIVE_NAMES = {"skresnet18", "skresnet34", "skresnet50", "skresnet50d"}
#: depths of timm's ResNeSts, with the letter of their stem
RESNEST = ("14d", "26d", "50d", "101e", "200e", "269e")
_RESNEST = {**{row[1]: depth for row, depth in _DEPTHS.items() if row[0] == "bottleneck"}, (3, 30, 48, 8): 269}
#: ResNets of timm's ByobNet: name -> (blocks, widths, activation, width after the last stage, attn_layer)
BYOB = {
    "gcresnet50t": ((3, 4, 6, 3), (64, 128, 256, 512), "relu", None, "gca"),
    "resnet33ts": ((2, 3, 3, 2), (64, 128, 384, 384), "swish", 1280, None),
    "resnet32ts": ((2, 3, 3, 2), (64, 128, 384, 384), "swish", None, None),
}
#: timm's networks -> those there whose tensors have the same names and shapes, and that compute otherwise: padding and
#: epsilon as TensorFlow has them (tf), or strides by blurring (aa, blur)
ALIKE = {
    "efficientnet_b0": ("efficientnet_blur_b0", "tf_efficientnet_b0"),
    **{f"efficientnet_b{size}": (f"tf_efficientnet_b{size}",) for size in range(1, 5)},
    **{name: (f"tf_{name}",) for name in ("mixnet_s", "mobilenetv3_large_100", "mobilenetv3_small_100")},
    "resnet18": ("resnetblur18",),
    "resnet34d": ("resnetaa34d",),
    **{f"resnet{kind}": (f"resnetaa{kind}", f"resnetblur{kind}") for kind in ("50", "50d", "101d")},
}
_ACTIVATIONS = {"relu": "relu", "swish": "silu"}


def timm_call(net: TorchResNet, entry: dict[str, Any] | None) -> tuple[str, dict[str, Any]] | None:
    """How timm makes a ResNet of ours.

    Args:
        net: our network.
        entry: the plan entry of its only attention; None if it has none.

    Returns:
        (name, options) for `timm.create_model`, or None if timm has no such network.
    """
    design = net.design
    if design.shortcut_kernel != 1 or not design.stem_pad or design.group_size or design.dilated:
        return None
    if design.bias or design.head != "fc" or len(net.blocks) != 4 or design.activation not in _ACTIVATIONS:
        return None
    if not design.stem_pool or (design.kind, design.stem, design.shortcut) == ("bottleneck", "tiered", "conv"):
        return None if design.stem_pool else _byob(net, entry)
    if entry and entry["slot"] in ("conv", "conv1") and (design.groups, design.base_width) != (1, 64):
        return None
    if entry and entry["name"] == "sk":
        return _resnet(net, "sk") if (entry["slot"], entry["options"]) == SELECTIVE[design.kind] else None
    if entry and entry["name"] == "split":
        return _resnest(net) if (entry["slot"], entry["options"]) == ("conv", {}) else None
    layer = _layer(entry, design.kind, "post")
    made = _resnet(net)
    if made is None or layer is None:
        return None
    return made[0], {**made[1], **({"block_args": {"attn_layer": layer}} if layer else {})}


def _layer(entry, kind, slot):
    """timm's attn_layer of a plan entry; "" if there is none, None if timm does not have it."""
    if entry is None:
        return ""
    layer, needed = _LAYERS.get(entry["name"], (None, None))
    # if all widths are large enough, ours is timm's without an option
    usual = layer == "se" and kind == "bottleneck" and slot == "post" and not entry["options"]
    return layer if entry["slot"] == slot and (usual or entry["options"] == needed) else None


def _resnet(net, start=""):
    """(name, options) of the backbone; start: "sk" with selective kernels."""
    design = net.design
    stem_width = design.stem_width or STEM_WIDTHS[design.stem]
    if design.stem == "small" or design.final_width or (design.stem == "large" and stem_width != 64):
        return None
    options: dict[str, Any] = {} if design.activation == "relu" else {"act_layer": _ACTIVATIONS[design.activation]}
    inner = {"cardinality": design.groups, "base_width": design.base_width, "block_reduce_first": design.reduce_first}
    if tuple(inner.values()) != (1, 64, 1):
        options |= inner
    if design.widths != Design.widths:
        options["channels"] = design.widths
    letter = _LETTERS.get((design.shortcut, design.stem, stem_width))
    name = f"{start}resnet{_DEPTHS.get((design.kind, net.blocks))}{letter}"
    if name in (_SELECTIVE_NAMES if start else _NAMES):
        return name, options
    options["layers"] = net.blocks
    if design.stem != "large":
        options |= {"stem_type": "deep" if design.stem == "deep" else "deep_tiered", "stem_width": stem_width}
    if design.shortcut == "average":
        options["avg_down"] = True
    return f"{start}resnet{18 if design.kind == 'basic' else 50}", options


def _resnest(net):
    design, depth = net.design, _RESNEST.get(net.blocks)
    width = design.stem_width or STEM_WIDTHS[design.stem]
    letter = {32: "d", 64: "e"}.get(width)
    if f"{depth}{letter}" not in RESNEST or design != Design(
        "bottleneck", shortcut="average", stem="deep", stem_width=design.stem_width
    ):
        return None
    return f"resnest{depth}{letter}", {}


def _byob(net, entry):
    design = net.design
    layer = _layer(entry, design.kind, "inner")
    known = design.kind == "bottleneck" and (design.shortcut, design.stem) == ("conv", "tiered")
    if layer is None or not known or (design.stem_width or 32) != 32:
        return None
    for name, (blocks, widths, activation, final, own) in BYOB.items():
        if (net.blocks, design.widths, design.activation, design.final_width) == (blocks, widths, activation, final):
            return name, {} if layer == (own or "") else {"attn_layer": layer}
    return None
