"""Infer the network from the weights of a ResNet or a mobile network of timm or torchvision."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

from ..config.files import one_word
from ..config.model import ModelConfig
from ..models import variants, variants_conv
from ..models.build import build
from ..models.plan import Plan
from ..utils.errors import UserError
from .counterpart import OWN
from .from_reference import match
from .mobile_names import deciding, mobile_candidates
from .tensors import Tensors
from .timm_models import BYOB, SELECTIVE
from .wrappers import unwrapped

#: (name of a tensor in an attention, that attention, its options); if several have the name, the shapes decide
_SIGNS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("mlp_scale.fc1.weight", "gc", {"epsilon": 1e-6}),
    ("mlp_add.fc1.weight", "gca", {"epsilon": 1e-6}),
    ("channel.fc1.weight", "cbam", {"bias": False}),
    ("channel.fc1.weight", "light_cbam", {}),
    ("fc1.weight", "se", {"narrowest": 8}),
    ("fc.weight", "ese", {}),
    ("conv.weight", "eca", {}),
)

#: names of the last layer's weights; of MobileNetV3's two dense layers the second counts
_CLASSIFIERS = (
    "fc.weight", "head.fc.weight", "classifier.3.weight", "classifier.1.weight", "classifier.weight",
    "last_linear.weight",
)  # fmt: skip

#: sources whose networks can be inferred
LIBRARIES = ("timm", "torchvision")


def infer_config(tensors: Tensors, source: str) -> ModelConfig | None:
    """The options of the network that weights fit.

    Args:
        tensors: the weights.
        source: "timm" or "torchvision"; others cannot be inferred.

    Returns:
        None if no network fits.
    """
    if source not in LIBRARIES:
        return None
    for found in unwrapped(tensors):
        for fields in _candidates(found.tensors, source):
            try:
                config = ModelConfig(**fields)
                net = build(config, _classes(found.tensors))
                match(net, found.tensors, source)
            except UserError:
                continue
            return _named(config, net.recipe["plan"])
    return None


def _named(config, plan):
    """The options with the name that such a network has where its attention is in the place of a convolution."""
    chosen = deciding(config.model_options)
    for name, (backbone, options, entries) in variants_conv.CONV_NAMED.items():
        if (backbone, deciding(options)) == (config.model, chosen) and Plan(entries).to_dict() == plan:
            return ModelConfig(model=name)
    return config


def flags(config: ModelConfig) -> str:
    """The flags of `gluon-attn convert` for the network of `config`, as one line for a shell."""
    words = ["--model", config.model]
    for flag, pairs in (("--model-options", config.model_options), ("--attention-options", config.attention_options)):
        if flag == "--attention-options" and config.attention:
            words += ["--attention", config.attention] + (["--slot", config.slot] if config.slot else [])
        words += [flag, *(f"{key}={one_word(value)}" for key, value in pairs.items())] if pairs else []
    return shlex.join(words)


def _classes(tensors):
    name = next((name for name in _CLASSIFIERS if name in tensors), None)
    return len(tensors[name]) if name else 1


def _candidates(tensors: Tensors, source: str) -> Iterator[dict[str, Any]]:
    """Options of each network that it may be."""
    yield from mobile_candidates(tensors, source)
    if any(name.startswith("stages.0.0.conv1_1x1") for name in tensors):
        yield from _byob(tensors)
    elif "features.0.0.weight" in tensors:
        yield {"model": "mobilenet_v2"}
    elif any(name.startswith("layer1.0.") for name in tensors):
        fields = _resnet(tensors)
        for chosen in _attentions(tensors, "layer1.0.se.", None) or _selective(tensors) or [{}]:
            yield {**fields, **chosen}
    if any(name.startswith(("layer1.0.", "stages.0.0.conv1_1x1")) for name in tensors):
        yield from ({"model": name} for name in OWN[source])


def _resnet(tensors):
    kind = "bottleneck" if any(name.startswith("layer1.0.conv3.") for name in tensors) else "basic"
    blocks = tuple(_count(tensors, rf"layer{i}\.(\d+)\..*") for i in range(1, 5))
    depths = {row: depth for depth, row in variants.RESNET.items()}
    depth = depths.get((kind, blocks))
    options = {} if depth else {"blocks": list(blocks)}
    pooled = "layer2.0.downsample.1.weight" in tensors and tensors["layer2.0.downsample.1.weight"].ndim == 4
    stem, width = _stem(tensors)
    options |= {} if stem == ("deep" if pooled else "large") else {"stem": stem}
    options |= {"stem_width": width} if width and width != 32 else {}
    backbone = f"resnet{depth or (18 if kind == 'basic' else 50)}_{'v1d' if pooled else 'v1b'}"
    return {"model": backbone, "model_options": options}


def _stem(tensors):
    """(kind of the stem, width of a deep one)."""
    if "conv1.3.weight" not in tensors:
        return "large", None
    first, second = len(tensors["conv1.0.weight"]), len(tensors["conv1.3.weight"])
    return "deep" if first == second else "tiered", second


def _byob(tensors):
    blocks = tuple(_count(tensors, rf"stages\.{i}\.(\d+)\..*") for i in range(4))
    final = len(tensors["final_conv.conv.weight"]) if "final_conv.conv.weight" in tensors else None
    for counts, widths, activation, width, _ in BYOB.values():
        if (counts, width) == (blocks, final):
            options = {"stem": "tiered", "stem_pool": False}
            options |= {} if counts == variants.RESNET[50][1] else {"blocks": list(counts), "widths": list(widths)}
            options |= {} if activation == "relu" else {"activation": activation}
            options |= {"final_width": width} if width else {}
            for chosen in _attentions(tensors, "stages.0.0.attn.", "inner") or [{}]:
                yield {"model": "resnet50_v1b", "model_options": options, **chosen}


def _attentions(tensors, start, slot):
    """Options of each attention whose names are in the weights."""
    there = {name.removeprefix(start) for name in tensors if name.startswith(start)}
    return [
        {"attention": name, "attention_options": options, "slot": slot}
        for sign, name, options in _SIGNS
        if sign in there
    ]


def _selective(tensors):
    if "layer1.0.conv2.bn0.weight" in tensors:
        return [{"attention": "split"}]
    for kind, layer in (("basic", "conv1"), ("bottleneck", "conv2")):
        if any(name.startswith(f"layer1.0.{layer}.paths.") for name in tensors):
            slot, options = SELECTIVE[kind]
            return [{"attention": "sk", "attention_options": options, "slot": slot if slot != "conv" else None}]
    return []


def _count(tensors, pattern):
    """One more than the largest number in the names that match."""
    return 1 + max((int(found[1]) for name in tensors if (found := re.fullmatch(pattern, name))), default=-1)
