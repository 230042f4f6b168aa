"""Names of open-mmlab/mmdetection (2.x): Faster and Mask R-CNN, with ECA in the backbone as in the ECA reproduction.

There the background is the last class, without a box and a mask of its own; here it is the first one. Its anchors are
not rounded, and its rois are aligned and sampled once a pixel: network options anchors_rounded, roi_aligned and
roi_sampling.
"""

from collections.abc import Callable

import numpy as np
from mxnet.gluon import HybridBlock

from .ecanet import NAME_MAP as ECANET
from .names import NameMap, Table

#: options of a network that computes as MMDetection does
OPTIONS = {"anchors_rounded": False, "roi_aligned": True, "roi_sampling": 0}


def detector(net: HybridBlock) -> Table:
    """The table of a detector."""
    masks = range(len(net.mask_head.convs) if net.mask_head else 0)
    return {
        "body.backbone": "backbone",
        **{f"body.fpn.inner_blocks.{i}": f"neck.lateral_convs.{i}.conv" for i in range(4)},
        **{f"body.fpn.layer_blocks.{i}": f"neck.fpn_convs.{i}.conv" for i in range(4)},
        "body.rpn.conv": "rpn_head.rpn_conv",
        "body.rpn.cls_logits": "rpn_head.rpn_cls",
        "body.rpn.bbox_pred": "rpn_head.rpn_reg",
        **{f"box_head.convs.{i}": f"roi_head.bbox_head.shared_convs.{i}.conv" for i in range(len(net.box_head.convs))},
        "box_head.fc6": "roi_head.bbox_head.shared_fcs.0",
        "box_head.fc7": "roi_head.bbox_head.shared_fcs.1",
        "box_head.cls_score": "roi_head.bbox_head.fc_cls",
        "box_head.bbox_pred": "roi_head.bbox_head.fc_reg",
        **{f"mask_head.convs.{i}": f"roi_head.mask_head.convs.{i}.conv" for i in masks},
        "mask_head.conv5_mask": "roi_head.mask_head.upsample",
        "mask_head.mask_fcn_logits": "roi_head.mask_head.conv_logits",
    }


def _background_first(values: np.ndarray) -> np.ndarray:
    return np.roll(values, 1, axis=0)


def _with_background(count: int) -> Callable[[np.ndarray], np.ndarray]:
    def change(values: np.ndarray) -> np.ndarray:
        return np.concatenate([np.zeros((count, *values.shape[1:]), values.dtype), values])

    return change


NAME_MAP = NameMap(
    tables={**ECANET.tables, "detector": detector},
    changes={
        r"roi_head\.bbox_head\.fc_cls\.(weight|bias)": _background_first,
        r"roi_head\.bbox_head\.fc_reg\.(weight|bias)": _with_background(4),
        r"roi_head\.mask_head\.conv_logits\.(weight|bias)": _with_background(1),
    },
)
