"""Golden cases of boxes, pooling, matching, targets and losses."""

import contextlib
import re

import mxnet as mx
import numpy as np

from gluon_attn.detect import losses
from gluon_attn.detect.assign import match
from gluon_attn.detect.mask_targets import mask_target
from gluon_attn.models.detection.pyramid import STRIDES
from gluon_attn.nn import boxes as bx
from gluon_attn.nn import kernels
from gluon_attn.nn.roi_align import roi_align

WEIGHTS = {"w1": (1, 1, 1, 1), "w10": (10, 10, 5, 5)}


def check_boxes(case):
    data = case.data
    per_class = data["in/deltas_per_class"].reshape(len(data["in/anchors"]), -1, 4)
    for name, weights in WEIGHTS.items():
        case.agrees(f"encode/{name}", bx.encode(data["in/gt"], data["in/anchors"], weights))
        case.agrees(f"decode/{name}", bx.decode(data["in/deltas"], data["in/anchors"], weights))
        decoded = bx.decode(per_class, data["in/anchors"], weights)
        case.agrees(f"decode_per_class/{name}", decoded)
    clipped = bx.clip(decoded.reshape(-1, 4), tuple(case.config["image"]))
    case.agrees("clip", clipped)
    case.agrees("keep_large", bx.large_enough(clipped, 1e-2))


def check_iou(case):
    case.agrees("iou", bx.iou(case.data["in/a"], case.data["in/b"]))
    case.agrees("area", bx.area(case.data["in/a"]))


def check_anchors(case):
    for name, one in case.config["sets"].items():
        cells = [bx.cell_anchors(*pair) for pair in zip(one["sizes"], one["ratios"], strict=True)]
        strides = [tuple(side // many for side, many in zip(one["image"], shape, strict=True)) for shape in one["maps"]]
        grids = [
            bx.grid_anchors(cell, tuple(shape), stride)
            for cell, shape, stride in zip(cells, one["maps"], strides, strict=True)
        ]
        case.agrees(f"{name}/base", np.concatenate(cells))
        case.agrees(f"{name}/anchors", np.concatenate(grids))
        case.agrees(f"{name}/stride", np.array(strides))


def check_match(case):
    rules = {"rpn": (0.3, 0.7, True), "strict": (0.3, 0.7, False), "roi": (0.5, 0.5, False)}
    quality = {"first_three": case.data["in/quality"][:3], "all_four": case.data["in/quality"]}
    for name, overlaps in quality.items():
        for rule, options in rules.items():
            case.agrees(f"{name}/{rule}", match(overlaps, *options))
    overlaps = bx.iou(case.data["in/gt"], case.data["in/anchors"])
    case.agrees("iou", overlaps)
    for rule in ("rpn", "roi"):
        case.agrees(f"boxes/{rule}", match(overlaps, *rules[rule]))


def check_nms(case):
    data = case.data
    boxes, scores, groups = data["in/boxes"], data["in/scores"], data["in/group"]
    for text in ("0.3", "0.5", "0.7"):
        case.agrees(f"keep/{text}", bx.nms(boxes, scores, float(text)))
        case.agrees(f"keep_group/{text}", bx.grouped_nms(boxes, scores, groups, float(text)))
    many = [data[f"in/many_{what}"] for what in ("boxes", "scores", "group")]
    case.agrees("many_keep/0.5", bx.grouped_nms(*many, 0.5))


def pooled(case, key, maps, rois, levels, size, scales, sampling, aligned, compiled=True):
    """The pooled rois, and the gradients of all maps with the cotangent of `key`."""
    arrays = [mx.nd.array(one) for one in maps]
    for one in arrays:
        one.attach_grad()
    cotangent = mx.nd.array(case.cotangent(case.meta[key]["shape"]))
    context = kernels.compiled_operators() if compiled else contextlib.nullcontext()
    with context, mx.autograd.record():
        out = roi_align(mx.nd, arrays, mx.nd.array(rois), mx.nd.array(levels), size, scales, sampling, aligned)
        total = (out * cotangent).sum()
    total.backward()
    return out.asnumpy(), [one.grad.asnumpy() for one in arrays]


def check_roi_align(case):
    """Both forms; MXNet's own operator cannot take aligned rois without area, which it gets a thousandth wide."""
    maps, rois = [case.input_of(0, case.config["feature"])], case.data["in/rois"]
    for key in (key for key in case.meta if key.endswith("/out")):
        aligned, sampling, height, width = re.findall(r"\d+", key)
        shape = int(height), int(width)
        for compiled in (True, False):
            options = shape, [case.config["spatial_scale"]], int(sampling), aligned == "1", compiled
            out, (grad,) = pooled(case, key, maps, rois, np.zeros(len(rois), "float32"), *options)
            least = {} if compiled or aligned == "0" else {"least": (5e-4, 5e-4)}
            case.agrees(key, out, **least)
            case.agrees(key.replace("/out", "/grad"), grad, **least)


def check_pyramid(case):
    config = case.config
    boxes = [case.data[f"in/rois/{i}"] for i in range(2)]
    rois = np.concatenate([np.insert(one, 0, i, axis=1) for i, one in enumerate(boxes)])
    height, width = config["image"]
    shapes = [(2, config["channels"], height // stride, width // stride) for stride in STRIDES[:4]]
    maps = [case.input_of(i, shape) for i, shape in enumerate(shapes)]
    scales = [1 / stride for stride in STRIDES[:4]]
    for name, (size, scale) in {"box": (7, 224), "mask": (14, 224), "fine": (7, config["canonical"])}.items():
        levels = bx.roi_levels(rois[:, 1:], scale)
        case.agrees(f"{name}/level", levels)
        out, grads = pooled(case, f"{name}/out", maps, rois, levels - 2.0, (size, size), scales, 2, False)
        case.agrees(f"{name}/out", out)
        for level, grad in enumerate(grads, 2):
            case.agrees(f"{name}/grad/P{level}", grad)


def check_mask_target(case):
    data, shape = case.data, case.entry["masks_shape"]
    masks = case.masks("in/masks", shape)
    for size in (14, 28):
        made = [mask_target(masks[i], box, size) for i, box in zip(data["in/match"], data["in/boxes"], strict=True)]
        case.agrees(f"target/{size}", np.stack(made))


def check_losses(case):
    data = case.data
    x, target = data["in/x"], data["in/target"]
    for name, beta in {"smooth_l1_beta_1_9": 1 / 9, "smooth_l1_beta_1": 1.0, "l1": 0.0}.items():
        four = [np.tile(one[:, None], 4) for one in (x, target)]
        total, grad = _with_gradient(
            lambda deltas, wanted=four[1], beta=beta: losses.box_loss(
                mx.nd, deltas, mx.nd.array(wanted), mx.nd.ones(len(wanted)) / 4, beta
            ),
            four[0],
        )
        assert abs(total - data[f"{name}/value"].sum()) <= 1e-5 * abs(total)
        case.agrees(f"{name}/grad", grad.sum(axis=1))
    logits, soft = data["in/logits"], mx.nd.array(data["in/soft"])
    weights = mx.nd.full(len(logits), 1 / len(logits))
    total, grad = _with_gradient(lambda one: losses.objectness_loss(mx.nd, one, soft, weights), logits)
    case.agrees("bce_mean/value", total)
    case.agrees("bce_mean/grad", grad)
    labels, count = data["in/labels"], len(data["in/labels"])
    each = mx.nd.full(count, 1 / count)
    total, grad = _with_gradient(
        lambda one: losses.class_loss(mx.nd, one, mx.nd.array(labels), each), data["in/class_logits"]
    )
    case.agrees("box_head_class/value", total)
    case.agrees("box_head_class/grad", grad)
    positive = np.flatnonzero(labels)
    rows = mx.nd.array(positive * case.config["classes"] + labels[positive])
    wanted, part = mx.nd.array(data["in/box_targets"][positive]), each[: len(positive)]
    total, grad = _with_gradient(
        lambda one: losses.box_loss(mx.nd, mx.nd.take(one.reshape(-1, 4), rows), wanted, part), data["in/box_deltas"]
    )
    case.agrees("box_head_box/value", total)
    case.agrees("box_head_box/grad", grad)


def _with_gradient(function, values):
    array = mx.nd.array(values)
    array.attach_grad()
    with mx.autograd.record():
        total = function(array)
    total.backward()
    return total.asscalar(), array.grad.asnumpy()


#: id of a case, or what it begins with -> its check
CHECKS = {
    "unit_boxes": check_boxes, "unit_iou": check_iou, "unit_anchors": check_anchors, "unit_match": check_match,
    "unit_nms": check_nms, "unit_roialign": check_roi_align, "unit_pyramid": check_pyramid,
    "unit_mask_target": check_mask_target, "unit_losses": check_losses,
}  # fmt: skip
