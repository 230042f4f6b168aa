"""Names of gbup-group/EAN-efficient-attention-network and gbup-group/DIANet: one attention per stage."""

from mxnet.gluon import HybridBlock, nn

from ..models.resnet.gluon_resnet import GluonResNet
from ..models.resnet.torch_resnet import TorchResNet
from ..models.slots import Stage
from .gluon_names import is_resnext
from .names import NameMap, Table

#: the layers of the first cell are in a block of their own there
LSTM = {"w_ih.0": "w_ih.0.seq", "w_hh.0": "w_hh.0.seq"}
#: a block of DIANet's ResNeXt, whose shortcut is an empty sequence in the other blocks
RESNEXT_BLOCK = {
    **{f"conv{i}": f"conv_{name}" for i, name in ((1, "reduce"), (2, "conv"), (3, "expand"))},
    **{f"bn{i}": name for i, name in ((1, "bn_reduce"), (2, "bn"), (3, "bn_expand"))},
    "downsample.0": "shortcut.shortcut_conv",
    "downsample.1": "shortcut.shortcut_bn",
}


def stage(blocks: Stage) -> Table:
    """The table of a stage, which there has a list of its blocks, and the attention that they share."""
    return {str(i): f"ModuleList.{i}" for i in range(len(blocks))}


def resnet(net: TorchResNet) -> Table:
    """The table of a network with our names there, or of DIANet's ResNeXt."""
    if not is_resnext(net):
        return {}
    stages = {f"layer{i}": f"stage_{i}" for i in range(1, len(net.blocks) + 1)}
    return {"conv1": "conv_1_3x3", "bn1": "bn_1", **stages, net.design.head: "classifier"}


def early_resnet(net: GluonResNet) -> Table:
    """The table of a version 2: DIANet's PreResNet, or its wide ResNet, whose blocks are basic ones."""
    stages = {i: layer for i, layer in enumerate(net.features) if isinstance(layer, Stage)}
    wide = not any(hasattr(block, "conv3") for stage in stages.values() for block in stage)
    names = {f"features.{place}": f"{'block' if wide else 'layer'}{i}" for i, place in enumerate(stages, 1)}
    for i, layer in enumerate(net.features):
        if isinstance(layer, nn.Conv2D):
            names[f"features.{i}"] = "conv1"
        elif isinstance(layer, nn.BatchNorm) and i > max(stages):
            names[f"features.{i}"] = "bn1" if wide else "bn"
    return {**names, "output": "fc"}


def residual(block: HybridBlock) -> Table:
    """The table of a residual block: its attention belongs to the stage there."""
    name = "lstm" if getattr(block.post, "reference_key", "") == "dia" else "share_fc"
    return {"post": f"^.^.{name}", **(RESNEXT_BLOCK if is_resnext(block) else {})}


def early_block(block: HybridBlock) -> Table:
    """The table of a block of version 2, which ends in one more norm there."""
    shortcut = "downsample.0" if hasattr(block, "conv3") else "convShortcut"
    return {**residual(block), "end": "bn_additional", "downsample": shortcut}


NAME_MAP = NameMap(
    tables={
        "se": {"mlp.0": "fc1", "mlp.2": "fc2"},
        "lstm_cell": LSTM,
        "dia": {"cell": ""},
        "stage": stage,
        "resnet": resnet,
        "gluon_resnet": early_resnet,
        "residual": residual,
        "gluon_block_v2": early_block,
    },
    # the attention of a stage in which the scheme connects no block
    unused=(r"((layer|block|stage_)\d+\.)?(share_fc|lstm)\..*",),
)
