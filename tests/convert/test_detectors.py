"""Weights of detectors of torchvision and MMDetection; torchvision's new names are those of the golden cases."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_model
from gluon_attn.convert import load_reference, reference_names
from gluon_attn.convert.mmdetection import OPTIONS
from gluon_attn.utils.errors import UserError

SMALL = {"widths": (8, 8, 16, 16), "fpn_channels": 8, "box_width": 16}
CLASSES = 3


def detector(name="mask_rcnn_fpn_eca_resnet18", **options):
    masks = {"mask_widths": (8, 8)} if name.startswith("mask") else {}
    net = get_model(name, CLASSES, **SMALL, **masks, **options)
    net.initialize(mx.init.Normal(1))
    return net


def mmdetection_state(net):
    """The weights of a network as MMDetection has them, made by hand of those that there are."""
    state = {}
    params = net._collect_params_with_prefix()
    for ours, theirs in reference_names(net, "mmdetection").items():
        value = params[ours].data().asnumpy()
        if "fc_cls" in theirs:
            value = np.concatenate([value[1:], value[:1]])
        elif "fc_reg" in theirs:
            value = value[4:]
        elif "conv_logits" in theirs:
            value = value[1:]
        state[theirs] = value
    return state


def test_the_names_of_mmdetection():
    state = mmdetection_state(detector())
    assert {
        "backbone.conv1.weight", "backbone.layer1.0.bn2.running_var", "backbone.layer2.0.downsample.1.weight",
        "backbone.layer1.0.eca.conv.weight", "neck.lateral_convs.3.conv.bias", "neck.fpn_convs.0.conv.weight",
        "rpn_head.rpn_conv.weight", "rpn_head.rpn_cls.bias", "rpn_head.rpn_reg.weight",
        "roi_head.bbox_head.shared_fcs.1.weight", "roi_head.bbox_head.fc_cls.weight", "roi_head.bbox_head.fc_reg.bias",
        "roi_head.mask_head.convs.1.conv.weight", "roi_head.mask_head.upsample.bias",
        "roi_head.mask_head.conv_logits.weight",
    } <= set(state)  # fmt: skip
    assert state["roi_head.bbox_head.fc_reg.weight"].shape == (4 * CLASSES, 16)
    assert state["roi_head.bbox_head.fc_cls.weight"].shape == (CLASSES + 1, 16)
    assert state["roi_head.mask_head.conv_logits.weight"].shape[0] == CLASSES


def test_the_background_comes_first_here():
    wanted, net = detector(), detector(**OPTIONS)
    load_reference(net, mmdetection_state(wanted), "mmdetection")
    ours, theirs = net._collect_params_with_prefix(), wanted._collect_params_with_prefix()
    for name, param in theirs.items():
        value, loaded = param.data().asnumpy(), ours[name].data().asnumpy()
        unused = {"box_head.bbox_pred": 4, "mask_head.mask_fcn_logits": 1}.get(name.rpartition(".")[0], 0)
        np.testing.assert_array_equal(loaded[unused:], value[unused:], err_msg=name)
        assert not loaded[:unused].any()  # of the background, which is never used


def test_names_of_older_torchvisions():
    net = detector("mask_rcnn_fpn_resnet18_v1b")
    params, state = net._collect_params_with_prefix(), {}
    for ours, theirs in reference_names(net, "torchvision").items():
        old = theirs.replace("head.conv.0.0", "head.conv")
        for kind in ("inner_blocks", "layer_blocks"):
            for level in range(4):
                old = old.replace(f"{kind}.{level}.0.", f"{kind}.{level}.")
        for number in range(2):
            old = old.replace(f"mask_head.{number}.0.", f"mask_head.mask_fcn{number + 1}.")
        state[old] = params[ours].data().asnumpy()
    assert "roi_heads.mask_head.mask_fcn2.weight" in state
    assert "backbone.fpn.inner_blocks.3.weight" in state
    other = detector("mask_rcnn_fpn_resnet18_v1b")
    load_reference(other, state, "torchvision")
    for name, param in other._collect_params_with_prefix().items():
        np.testing.assert_array_equal(param.data().asnumpy(), params[name].data().asnumpy(), err_msg=name)


def test_faster_rcnn_and_a_detector_with_masks_are_told_apart():
    net, state = detector("faster_rcnn_fpn_eca_resnet18"), mmdetection_state(detector())
    with pytest.raises(UserError, match="of another network"):
        load_reference(net, state, "mmdetection")
