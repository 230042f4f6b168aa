"""Detectors by name: their options, shapes and errors."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_model
from gluon_attn.models.detection import list_detectors
from gluon_attn.models.factory import model_info
from gluon_attn.utils.errors import UserError

SMALL = {"fpn_channels": 8, "box_width": 16}


def parameters(net):
    return sum(int(np.prod(p.shape)) for p in net.collect_params().values() if p.grad_req != "null")


def test_the_reproductions_detector():
    net = get_model("mask_rcnn_fpn_eca_resnet50_coco")
    assert net.recipe["model"] == "mask_rcnn_fpn_eca_resnet50"
    assert net.recipe["classes"] == 80
    # of the published one 44,396,416: it has no boxes and no mask of the background, and other sizes of ECA's kernels
    assert parameters(net) - 44_396_416 == 4 * 1025 + 257 + 6


def test_names():
    names = list(list_detectors())
    assert {"mask_rcnn_fpn_resnet50_v1b", "faster_rcnn_fpn_se_resnet18", "mask_rcnn_fpn_resnet18_v2"} <= set(names)
    assert not [name for name in names if "mobilenet" in name or "cifar" in name or "darts" in name]
    info = model_info("faster_rcnn_fpn_resnet18_v1b")
    assert {"fpn_channels", "widths", "anchor_sizes"} <= set(info.options())
    assert "mask_widths" not in info.options()
    assert "drop_rate" not in info.options()


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("mask_rcnn_fpn_mobilenet_v2", {}, "mobilenet_v2 is no ResNet for ImageNet"),
        ("mask_rcnn_fpn_resnet51_v1b", {}, "unknown model 'resnet51_v1b'; did you mean resnet50_v1b"),
        ("faster_rcnn_fpn_resnet18_v1b", {"mask_widths": (8,)}, "has no option 'mask_widths'"),
        (
            "mask_rcnn_fpn_resnet18_v1b",
            {"anchor_sizes": (32, 64)},
            "anchor_sizes must list 5 whole numbers, one per level",
        ),
        ("mask_rcnn_fpn_resnet18_v1b", {"roi_aligned": "no"}, "roi_aligned must be true or false"),
        ("mask_rcnn_fpn_eca_resnet18", {"attention": "se"}, "eca_resnet18"),
        (
            "mask_rcnn_fpn_resnet18_v1b",
            {"stem": "small"},
            "a detector needs a stem of stride 4: option stem small has 1",
        ),
        ("mask_rcnn_fpn_resnet18_v1b", {"anchor_ratios": []}, "anchor_ratios must list numbers above 0"),
        ("mask_rcnn_fpn_resnet18_v1b", {"anchor_ratios": 2}, "anchor_ratios must list numbers above 0"),
        ("mask_rcnn_fpn_resnet18_v1b", {"anchor_ratios": [1, -1]}, "anchor_ratios must be a number above 0"),
        ("mask_rcnn_fpn_resnet18_v1b", {"anchor_ratios": ["a"]}, "anchor_ratios must be a number above 0"),
        ("mask_rcnn_fpn_resnet18_v1b", {"roi_sampling": -1}, "roi_sampling must be a whole number from 0 on"),
        ("mask_rcnn_fpn_resnet18_v1b", {"pretrained": True}, "no published parameters of 'mask_rcnn_fpn_resnet18_v1b'"),
        ("mask_rcnn_fpn_resnet18_v1b", {"roi_sampling": 2.5}, "roi_sampling must be a whole number from 0 on"),
    ],
)
def test_mistakes(name, options, said):
    with pytest.raises(UserError, match=said.replace("(", r"\(")):
        get_model(name, **options)


@pytest.mark.parametrize(
    "backbone", ["resnet18_v1b", "resnet18_v1d", "resnet18_v1", "resnet18_v2", "atac_resnet50_v1b"]
)
@pytest.mark.parametrize("size", [(64, 96), (96, 64)])
def test_shapes(backbone, size):
    net = get_model(f"faster_rcnn_fpn_{backbone}", 3, **SMALL)
    net.initialize()
    *maps, logits, deltas = net.body(mx.nd.zeros((2, 3, *size)))
    assert [one.shape for one in maps] == [(2, 8, size[0] // stride, size[1] // stride) for stride in (4, 8, 16, 32)]
    anchors, levels = net.anchors(*size)
    assert logits.shape == (2, len(anchors))
    assert deltas.shape == (2, len(anchors), 4)
    assert (np.diff(levels) >= 0).all()
    assert levels[-1] == 4
    rois, of = mx.nd.array([[0, 0, 0, 20, 20], [1, 5, 5, 60, 60]]), mx.nd.array([0, 2])
    classes, boxes = net.box_head(*maps, rois, of)
    assert (classes.shape, boxes.shape) == ((2, 4), (2, 4, 4))
    assert net.mask_head is None


def test_an_attention_and_the_backbones_weights(tmp_path):
    net = get_model("mask_rcnn_fpn_resnet18_v1b", 2, attention="se", mask_widths=(8,), **SMALL)
    classifier = get_model("resnet18_v1b", 5, attention="se")
    ours, theirs = net.body.backbone._collect_params_with_prefix(), classifier._collect_params_with_prefix()
    assert set(theirs) - set(ours) == {"fc.weight", "fc.bias"}
    assert set(ours) <= set(theirs)
    assert any("post" in name for name in ours)
