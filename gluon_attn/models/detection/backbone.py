"""The feature maps C2 to C5 of a classification network."""

import re
from typing import Any

from mxnet.gluon import HybridBlock

from ...utils.errors import UserError
from ..resnet.gluon_resnet import GluonResNet
from ..resnet.torch_resnet import TorchResNet
from ..slots import Stage

STAGES = 4  # C2 to C5
#: a layer of the row `features` of versions 1 and 2, which is an attribute of its own here
_ROW = re.compile(r"^(features)(\d+)\.")


class Features(HybridBlock):
    """A classification network up to its last stage, N,3,H,W -> the outputs of its four stages, C2 to C5.

    Parameters keep the names that they have in the network, except that `features.0` is `features0`; its classifier is
    left out.

    Args:
        net: a ResNet for ImageNet.

    Attributes:
        channels: of each output.

    Raises:
        UserError: the network has other stages.
    """

    def __init__(self, net: HybridBlock) -> None:
        super().__init__()
        layers = _layers(net)
        if isinstance(net, TorchResNet) and net.design.stem == "small":
            raise UserError("a detector needs a stem of stride 4: option stem small has 1, take large, deep or tiered")
        stages = [name for name, layer in layers.items() if isinstance(layer, Stage)]
        if len(stages) != STAGES:
            raise UserError(f"a detector needs a network of {STAGES} stages of residual blocks, such as resnet50_v1b")
        self._order, self._outputs = list(layers), set(stages)
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.channels = _channels(net)

    def first(self, stages: int) -> list[str]:
        """Names of its layers up to the end of some stage; 1: C2, with the stem before it."""
        ends = [i for i, name in enumerate(self._order) if name in self._outputs]
        return self._order[: ends[stages - 1] + 1]

    def classifier_names(self) -> dict[str, str]:
        """Name of each parameter -> its name in the classification network."""
        return {name: _ROW.sub(r"\1.\2.", name) for name in self._collect_params_with_prefix()}

    def hybrid_forward(self, F: Any, x: Any) -> list:
        """N,3,H,W -> [C2, C3, C4, C5]."""
        found = []
        for name in self._order:
            x = getattr(self, name)(x)
            if name in self._outputs:
                found.append(x)
        found[-1] = x  # with the norm and activation that follow the last stage of version 2
        return found


def _layers(net: HybridBlock) -> dict[str, HybridBlock]:
    """Name -> layer, in the order of a pass, without pooling and classifier."""
    if isinstance(net, TorchResNet):
        names = ("conv1", "bn1", "relu", "maxpool", *(f"layer{i + 1}" for i in range(len(net.blocks))), "final")
        return {name: layer for name in names if (layer := getattr(net, name)) is not None}
    if isinstance(net, GluonResNet):
        layers = {f"features{name}": layer for name, layer in net.features._children.items()}
        return dict(list(layers.items())[:-2])  # pooling and flattening come last
    raise UserError("a detector needs a ResNet for ImageNet as its backbone, such as resnet50_v1b")


def _channels(net: HybridBlock) -> list[int]:
    """Channels of each stage's output."""
    if isinstance(net, TorchResNet):
        expansion = 4 if net.design.kind == "bottleneck" else 1
        return [width * expansion for width in net.design.widths]
    return [net.output._in_units >> i for i in reversed(range(STAGES))]
