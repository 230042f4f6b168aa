"""Names of GluonCV's model zoo: ResNets have our structural names; the other networks there number their layers."""

import re

from mxnet.gluon import HybridBlock, nn

from ..models.inverted import InvertedBlock
from ..models.mobile_network import MobileNetwork
from ..models.resnet.torch_resnet import TorchResNet
from .gluon_names import is_resnext
from .names import NameMap, Table

#: convolutions and norms of a block of GluonCV's ResNeXt and SENet
_BODY = {"conv1": 0, "bn1": 1, "conv2": 3, "bn2": 4, "conv3": 6, "bn3": 7}


def resnet(net: TorchResNet) -> Table:
    """The table of a network with our names there, or of a ResNeXt, whose stem and stages are one sequence."""
    if not is_resnext(net):
        return {}
    deep = net.design.stem != "large" and net.design.stem != "small"
    norm = 7 if deep else 1
    first = norm + (3 if net.maxpool else 2)
    stages = {f"layer{i}": f"features.{first + i - 1}" for i in range(1, len(net.blocks) + 1)}
    return {
        "conv1": "features" if deep else "features.0",
        "bn1": f"features.{norm}",
        **stages,
        net.design.head: "output",
    }


def residual(block: HybridBlock) -> Table:
    """The table of a `Residual`."""
    names = {"post": "se"}
    return {**names, **{ours: f"body.{i}" for ours, i in _BODY.items()}} if is_resnext(block) else names


def mobilenet(net: HybridBlock) -> Table:
    """The table of a MobileNetV2: blocks and the layers of the outer convolutions are numbered as one sequence."""
    last = len(net.features) - 1
    names = {f"features.{i}": f"features.{i + 2}" for i in range(1, last)}
    for ours, theirs in ((0, 0), (last, last + 2)):
        names |= {f"features.{ours}.{i}": f"features.{theirs + i}" for i in (0, 1)}
    return {**names, "classifier.1": "output.0"}


def inverted(block: HybridBlock) -> Table:
    """The table of an inverted residual block: its convolutions, norms and activations are one sequence there."""
    names: dict[str, str] = {}
    number = 0
    for i, layer in enumerate(block.conv):
        inside = len(layer) if isinstance(layer, nn.HybridSequential) else 0
        names |= {f"conv.{i}.{j}": f"out.{number + j}" for j in range(inside)} or {f"conv.{i}": f"out.{number}"}
        number += max(1, inside)
    return names


def mobile_network(net: MobileNetwork) -> Table:
    """The table of a MobileNetV3: blocks and the layers of the outer convolutions are numbered as one sequence."""
    names, number = {"conv_stem": "features.0", "bn1": "features.1", "classifier": "output.0"}, 3
    for i, stage in enumerate(net.blocks):
        blocks = [j for j, block in enumerate(stage) if isinstance(block, InvertedBlock)]
        names |= {f"blocks.{i}.{j}": f"features.{number + j}" for j in blocks}
        number += len(blocks)
    return {
        **names,
        "conv_head": f"features.{number}",
        "bn2": f"features.{number + 1}",
        "hidden": f"features.{number + 4}",
    }


def flat_mobile(net: MobileNetwork, name: str) -> str:
    """The structural name of a tensor of MobileNetV3, whose layers have prefixes of their own: seq-0-linear-conv2d."""
    count = sum(isinstance(block, InvertedBlock) for stage in net.blocks for block in stage)
    outer = {
        "first-3x3-conv-conv2d": "features.0",
        "first-3x3-conv-batchnorm": "features.1",
        "last-1x1-conv1-conv2d": f"features.{count + 3}",
        "last-1x1-conv1-batchnorm": f"features.{count + 4}",
        "last-1x1-conv2-conv2d": f"features.{count + 7}",
        "output_fc": "output.0",
    }
    found = re.fullmatch(r"(?:_resunit\d+_)?(.*?)_(weight|bias|gamma|beta|running_mean|running_var)", name)
    if not found:
        return name
    layer, leaf = found.groups()
    inside = re.fullmatch(r"seq-(\d+)-(exp|depthwise|linear|se)[-_](conv2d|batchnorm|fc1|fc2)", layer)
    if not inside:
        return f"{outer[layer]}.{leaf}" if layer in outer else name
    number, part, kind = inside.groups()
    path = {"exp": "expand", "depthwise": "conv1", "linear": "conv2", "se": "se"}[part]
    return f"features.{int(number) + 3}.{path}.{_KINDS[kind]}.{leaf}"


_KINDS = {"conv2d": "conv", "batchnorm": "bn", "fc1": "conv1", "fc2": "conv2"}
INVERTED_BLOCK = {
    **{f"conv_{ours}": f"{theirs}.conv" for ours, theirs in (("pw", "expand"), ("dw", "conv1"), ("pwl", "conv2"))},
    **{f"bn{i}": f"{theirs}.bn" for i, theirs in ((1, "expand"), (2, "conv1"), (3, "conv2"))},
    "inner": "se",
    "inner.mlp.0": "se.conv1",
    "inner.mlp.2": "se.conv2",
}

NAME_MAP = NameMap(
    tables={
        "inverted_block": INVERTED_BLOCK,
        "mobile_network": mobile_network,
        "se": {"mlp.0": "0", "mlp.2": "2"},
        "resnet": resnet,
        "residual": residual,
        "inverted_residual": inverted,
        "mobilenet_v2": mobilenet,
    },
    leaves={},
    gluon=True,
    flat={"mobile_network": flat_mobile},
    # MobileNetV2's classifier has no bias
    absent=(r"output\.0\.bias",),
)
