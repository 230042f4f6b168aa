"""Golden cases of whole detectors: inference stage by stage, and the losses and gradients of a training step."""

import contextlib

import mxnet as mx
import numpy as np

from gluon_attn import get_model
from gluon_attn.convert import load_reference, reference_names
from gluon_attn.data.canvas import normalize, resize, resized_size
from gluon_attn.detect.inference import InferenceOptions, detect
from gluon_attn.detect.learn import Example, LearningOptions, learn, per_batch
from gluon_attn.detect.proposals import ProposalOptions, propose
from gluon_attn.detect.targets import StageOptions, anchor_targets, roi_targets
from gluon_attn.detect.task import in_image
from gluon_attn.nn import kernels

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
EVERYTHING = 1 << 20
ANCHORS, ROIS = StageOptions(0.7, 0.3, True, EVERYTHING, 0.5), StageOptions(0.5, 0.5, False, EVERYTHING, 0.5)
LOSSES = {
    "loss_rpn_cls": "loss_objectness", "loss_rpn_bbox": "loss_rpn_box_reg", "loss_cls": "loss_classifier",
    "loss_bbox": "loss_box_reg", "loss_mask": "loss_mask",
}  # fmt: skip


def make(case):
    """The detector of a case, with its weights."""
    config = case.config["net"]
    net = get_model(
        f"mask_rcnn_fpn_{config['backbone']}_v1b", config["classes"] - 1, fpn_channels=config["fpn"],
        box_width=config["box_width"], mask_widths=tuple(config["mask_layers"]), mask_channels=config["mask_dim"],
        anchor_sizes=config["anchor_sizes"], anchor_ratios=config["aspect_ratios"],
        roi_scale=config["canonical_scale"],
    )  # fmt: skip
    net.initialize()
    load_reference(net, case.weights(), "torchvision")
    return net


def canvas(case):
    """The images as the network gets them, (B,3,H,W)."""
    config, placed = case.config["net"], []
    for image in case.images():
        pixels = np.ascontiguousarray(image.transpose(1, 2, 0)) * np.float32(255)
        size = resized_size(*pixels.shape[:2], config["min_size"], config["max_size"])
        plain = normalize(pixels, MEAN, STD).transpose(1, 2, 0)  # torchvision resizes what is normalized
        placed.append(resize(np.ascontiguousarray(plain), size).transpose(2, 0, 1))
    sides = [-(-max(one.shape[axis] for one in placed) // 32) * 32 for axis in (1, 2)]
    images = np.zeros((len(placed), 3, *sides), "float32")
    for image, one in zip(images, placed, strict=True):
        image[:, : one.shape[1], : one.shape[2]] = one
    return images


def check_inference(case):
    net, images, options = make(case), canvas(case), case.config["net"]["options"]
    case.agrees("image", images)
    sizes = [tuple(size) for size in case.entry["image_sizes"]]
    proposals = ProposalOptions(
        options["rpn_pre_nms_top_n_test"], options["rpn_post_nms_top_n_test"], options["rpn_nms_thresh"]
    )  # fmt: skip
    inference = InferenceOptions(
        proposals, options["box_score_thresh"], options["box_nms_thresh"], options["box_detections_per_img"]
    )  # fmt: skip
    anchors, levels = net.anchors(*images.shape[2:])
    case.agrees("anchors", anchors)
    with kernels.compiled_operators():
        *maps, logits, deltas = net.body(mx.nd.array(images))
        found = detect(net, mx.nd.array(images), sizes, inference)
    for level, one in enumerate(maps, 2):
        case.agrees(f"feat/P{level}", one.asnumpy())
    for i, (one, size) in enumerate(zip(found, sizes, strict=True)):
        boxes, _ = propose(logits.asnumpy()[i], deltas.asnumpy()[i], anchors, levels, size, proposals)
        case.agrees(f"proposals/{i}/boxes", boxes)
        case.agrees(f"final/{i}/boxes", one.boxes)
        case.agrees(f"final/{i}/scores", one.scores)
        case.agrees(f"final/{i}/labels", one.labels + 1)
        case.agrees(f"mask/{i}/prob", one.masks)
        _check_pasted(case, i, one, size)


def _check_pasted(case, i, found, size):
    """Boxes and masks in the image as it was."""
    original = tuple(case.config["image_shapes"][i])
    scale = tuple(new / old for new, old in zip(size, original, strict=True))
    in_pixels = in_image(found, type("Sample", (), {"scale": scale, "original": original}))
    case.agrees(f"result/{i}/boxes", in_pixels.boxes)
    encoded = in_pixels.encoded(original)
    from gluon_attn.data import rle

    bits = np.stack([rle.to_mask(one) for one in encoded])
    differ = int((bits != case.masks(f"paste/{i}/bits", bits.shape)).sum())
    assert differ <= 1e-4 * bits.size, f"{case.id}: {differ} pixels of image {i} differ"


def check_training(case):
    net, images, options = make(case), canvas(case), case.config["net"]["options"]
    case.agrees("image", images)
    sizes = [tuple(size) for size in case.entry["image_sizes"]]
    examples = [_example(case, net, i, size, images.shape[2:]) for i, size in enumerate(sizes)]
    proposals = ProposalOptions(
        options["rpn_pre_nms_top_n_train"], options["rpn_post_nms_top_n_train"], options["rpn_nms_thresh"]
    )  # fmt: skip
    learning = LearningOptions(proposals, ANCHORS, ROIS, normalize=per_batch)
    _freeze(net, case.config["net"]["norm"] == "frozen")
    for compiled in (True, False):
        with kernels.compiled_operators() if compiled else contextlib.nullcontext():
            with mx.autograd.record():
                found = learn(net, mx.nd.array(images), examples, learning)
                total = sum(found[name] for name in LOSSES)
            total.backward()
        for name, theirs in LOSSES.items():
            case.agrees(f"loss/{theirs}", found[name].asscalar())
        params = net._collect_params_with_prefix()
        names = {theirs: ours for ours, theirs in reference_names(net, "torchvision", case.weights()).items()}
        for key in (key for key in case.meta if key.startswith("grad/")):
            case.agrees(key, params[names[key.removeprefix("grad/")]].grad().asnumpy())


def _example(case, net, i, size, shape):
    data = case.data
    boxes, labels = data[f"gt/{i}/boxes"], data[f"gt/{i}/labels"].astype("int32") - 1
    masks = case.masks(f"gt/{i}/masks", (len(boxes), *size))
    random = np.random.default_rng(0)
    targets = anchor_targets(net.anchors(*shape)[0], boxes, random, ANCHORS)
    if len(boxes):
        case.agrees(f"rpn/targets/{i}", targets.deltas)
    rois = roi_targets(data[f"proposals/{i}/boxes"], boxes, labels, random, ROIS)
    kept = np.argsort([*np.flatnonzero(data[f"roi/{i}/labels"]), *np.flatnonzero(data[f"roi/{i}/labels"] == 0)])
    case.agrees(f"roi/{i}/labels", rois.labels[kept])
    return Example(size, boxes, labels, lambda number: masks[number], targets, random)


def _freeze(net, frozen):
    """Norms compute with their running statistics; frozen ones are not trained."""

    def visit(block):
        if isinstance(block, mx.gluon.nn.BatchNorm):
            block._kwargs["use_global_stats"] = True
            if frozen:
                block.gamma.grad_req = block.beta.grad_req = "null"

    net.apply(visit)


#: id of a case, or what it begins with -> its check
CHECKS = {"infer_": check_inference, "train_": check_training}
