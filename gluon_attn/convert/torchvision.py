"""Names of pytorch/vision (torchvision): its ResNets and its MobileNetV2 have our names, others have not."""

from mxnet.gluon import HybridBlock

from ..models.inverted import InvertedBlock
from ..models.mobile_network import MobileNetwork
from .names import NameMap, Table


def detector(net: HybridBlock) -> list[Table]:
    """The tables of a detector: layers in sequences of their own, as since torchvision 0.13, and without."""
    levels, masks = range(4), range(len(net.mask_head.convs) if net.mask_head else 0)
    shared = {
        "body.backbone": "backbone.body",
        "body.fpn": "backbone.fpn",
        "body.rpn": "rpn.head",
        "box_head": "roi_heads.box_head",
        "box_head.cls_score": "roi_heads.box_predictor.cls_score",
        "box_head.bbox_pred": "roi_heads.box_predictor.bbox_pred",
        "mask_head": "roi_heads.mask_predictor",
    }
    blocks = [f"{kind}_blocks.{i}" for kind in ("inner", "layer") for i in levels]
    new = {f"body.fpn.{name}": f"backbone.fpn.{name}.0" for name in blocks}
    new |= {f"mask_head.convs.{i}": f"roi_heads.mask_head.{i}.0" for i in masks}
    old = {f"mask_head.convs.{i}": f"roi_heads.mask_head.mask_fcn{i + 1}" for i in masks}
    return [{**shared, **new, "body.rpn.conv": "rpn.head.conv.0.0"}, {**shared, **old}]


def mobile_network(net: MobileNetwork) -> Table:
    """The table of a network of inverted residual blocks: MobileNetV3 has them in one row, EfficientNet in stages."""
    names, row = {"conv_stem": "features.0.0", "bn1": "features.0.1"}, 1
    for i, stage in enumerate(net.blocks):
        blocks = [j for j, block in enumerate(stage) if isinstance(block, InvertedBlock)]
        if net.hidden:
            names |= {f"blocks.{i}.{j}": f"features.{row + j}.block" for j in blocks}
            row += len(blocks)
        else:
            names |= {f"blocks.{i}.{j}": f"features.{i + 1}.{j}.block" for j in blocks}
    last = row if net.hidden else len(net.blocks) + 1
    names |= {"conv_head": f"features.{last}.0", "bn2": f"features.{last}.1", "hidden": "classifier.0"}
    return {**names, "classifier": "classifier.3" if net.hidden else "classifier.1"}


def inverted_block(block: InvertedBlock) -> Table:
    """The table of an inverted residual block: its layers are numbered there, each convolution with its norm."""
    convs = [("conv_pw", "bn1")] * block.expands + [("conv_dw", "bn2")]
    names = {own: f"{i}.{j}" for i, pair in enumerate(convs) for j, own in enumerate(pair)}
    count = len(convs)
    if block.inner is not None:
        names["inner"] = str(count)
        count += 1
    return {**names, "conv_pwl": f"{count}.0", "bn3": f"{count}.1"}


def regnet(net: HybridBlock) -> Table:
    """The table of a RegNet, whose blocks have the number of their stage twice there."""
    names = {"conv1": "stem.0", "bn1": "stem.1"}
    for i in range(1, 5):
        names |= {f"layer{i}.{j}": f"trunk_output.block{i}.block{i}-{j}" for j in range(len(getattr(net, f"layer{i}")))}
    return names


REGNET_BLOCK = {
    **{f"conv{i}": f"f.{letter}.0" for i, letter in ((1, "a"), (2, "b"), (3, "c"))},
    **{f"bn{i}": f"f.{letter}.1" for i, letter in ((1, "a"), (2, "b"), (3, "c"))},
    "downsample": "proj",
    "inner": "f.se",
}

NAME_MAP = NameMap(
    tables={
        "detector": detector,
        "inverted_block": inverted_block,
        "mobile_network": mobile_network,
        "regnet": regnet,
        "regnet_block": REGNET_BLOCK,
        "se": {"mlp.0": "fc1", "mlp.2": "fc2"},
    }
)
