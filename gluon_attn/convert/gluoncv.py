"""Names of GluonCV's model zoo: ResNets have our structural names; SE-ResNets and MobileNetV2 number their layers."""

from mxnet.gluon import HybridBlock, nn

from .names import NameMap, Table


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
        "residual": {"post": "se"},
        "inverted_residual": inverted,
        "mobilenet_v2": mobilenet,
    },
    leaves={},
    gluon=True,
    # MobileNetV2's classifier has no bias
    absent=(r"output\.0\.bias",),
)
