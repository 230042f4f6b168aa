"""Names of GluonCV's model zoo: ResNets have our structural names; the other networks there number their layers."""

from mxnet.gluon import HybridBlock, nn

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


NAME_MAP = NameMap(
    tables={
        "se": {"mlp.0": "0", "mlp.2": "2"},
        "resnet": resnet,
        "residual": residual,
        "inverted_residual": inverted,
        "mobilenet_v2": mobilenet,
    },
    leaves={},
    gluon=True,
    # MobileNetV2's classifier has no bias
    absent=(r"output\.0\.bias",),
)
