"""Names of GluonCV's model zoo: ResNets have our structural names; SE-ResNets and MobileNetV2 number their layers."""

from mxnet.gluon import HybridBlock, nn

from ..models.inverted import InvertedBlock
from ..models.mobile import MobileNetwork
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
        "residual": {"post": "se"},
        "inverted_residual": inverted,
        "mobilenet_v2": mobilenet,
    },
    leaves={},
    gluon=True,
    # MobileNetV2's classifier has no bias
    absent=(r"output\.0\.bias",),
)
