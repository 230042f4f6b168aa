"""Names of pytorch/vision (torchvision): its ResNets and its MobileNetV2 have our names, its detectors have not."""

from mxnet.gluon import HybridBlock

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


NAME_MAP = NameMap(tables={"detector": detector})
