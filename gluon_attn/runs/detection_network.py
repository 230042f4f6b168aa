"""The network of a detector's run: built on its devices, partly frozen, described by its card."""

import dataclasses
from typing import Any

import mxnet as mx

from ..attention.factory import attention_options
from ..config.card import Card
from ..config.detect import DetectRunConfig
from ..data.canvas import Placement
from ..data.coco import CocoSet
from ..detect.inference import InferenceOptions
from ..engine.prepare_network import FEATURES, set_global_statistics
from ..models.build import build
from ..models.detection import Detector, detector_record
from ..utils.errors import UserError
from ..utils.log import get_logger
from .network import initialize
from .start_weights import apply_attention_start, pretrained_backbone, start_detector


def make_detector(
    config: DetectRunConfig, classes: int, placement: Placement, devices: list[mx.Context]
) -> Detector:  # fmt: skip
    """The detector of a run on its devices, with the weights that it starts from.

    Args:
        config: the options.
        classes: without the background.
        placement: how images get onto their canvases.
        devices: where.

    Raises:
        UserError: the options do not fit each other or the canvases, or the file of weights is of another network.
    """
    model = config.model
    if model.head_norm != "none":
        model = model.replace(model_options={**model.model_options, "head_norm": model.head_norm}, head_norm="none")
    model = model.replace(pretrained=None)
    check_detector(model.model)
    canvas = placement.canvases.landscape
    net: Any = build(model, classes, canvas[0])
    entries = (net.recipe["plan"] or {}).get("entries", ())
    bound = sorted({one["name"] for one in entries if "spatial" in attention_options(one["name"])})
    if bound and canvas[0] != canvas[1]:
        raise UserError(
            f"attention {bound[0]} is bound to positions, the images come in {canvas[0]}x{canvas[1]} and "
            f"{canvas[1]}x{canvas[0]}: give option square"
        )
    initialize(net, config.train, devices)
    took = start_detector(net, config.model.pretrained, classes) if config.model.pretrained else None
    apply_attention_start(net, config.model.attention_start, took, canvas, devices[0])
    if config.norm_eval:
        params = net._collect_params_with_prefix()
        set_global_statistics(net, [params[name] for name in pretrained_backbone(net)])
    return net


def check_detector(name: str) -> None:
    """Check that a network is a detector.

    Raises:
        UserError: it is not.
    """
    if detector_record(name) is None:
        raise UserError(f"option model: {name} is no detector; give one, such as mask_rcnn_fpn_{name}")


def tell_random_start(config: DetectRunConfig, net: Detector) -> None:
    """Options that are right for a pretrained backbone keep a random one as it is."""
    if config.model.pretrained:
        return
    norms: list[Any] = []
    net.body.backbone.apply(lambda block: norms.append(block) if isinstance(block, mx.gluon.nn.BatchNorm) else None)
    if config.detect.norm_eval and norms:
        get_logger().warning(
            "norm_eval without pretrained weights: batch norms keep the statistics that they start with, mean 0 and "
            "variance 1; turn it off to train from random weights"
        )
    if config.detect.frozen_stages:
        get_logger().warning("frozen_stages without pretrained weights: those stages stay random")


def with_frozen_stages(config: DetectRunConfig, net: Detector) -> Any:
    """The config, option frozen_stages as a pattern of option freeze, beside what that names already."""
    frozen, given = config.detect.frozen_stages, config.optim.freeze
    frozen = (1 if config.model.pretrained else 0) if frozen is None else frozen
    if given == FEATURES:
        raise UserError("option freeze features is for classifiers: option frozen_stages freezes stages of a detector")
    if not frozen:
        return config
    stages = rf"body\.backbone\.({'|'.join(net.body.backbone.first(frozen))})\."
    return config.replace(optim=config.optim.replace(freeze=f"{given}|{stages}" if given else stages))


def make_card(
    net: Detector, config: DetectRunConfig, images: CocoSet, placement: Placement, inference: InferenceOptions
) -> Card:  # fmt: skip
    """The card of a detector."""
    canvases = placement.canvases
    about = {
        "canvases": [list(canvases.landscape), list(canvases.portrait)],
        "shorter": max(placement.shorter), "longer": placement.longer,
        "category_ids": [int(one) for one in images.category_ids],
        "inference": dataclasses.asdict(inference),
    }  # fmt: skip
    return Card(
        **net.recipe, dataset=config.data.dataset, class_names=tuple(images.class_names),
        input_shape=(3, *canvases.landscape), mean=tuple(placement.mean), std=tuple(placement.std), detection=about,
    )  # fmt: skip


def print_summary(net: Detector, placement: Placement, device: mx.Context) -> None:
    """Print the layers of each graph of a detector with their shapes and parameters; they are not hybridized yet."""
    image = mx.nd.zeros((1, 3, *placement.canvases.landscape), ctx=device)
    net.body.summary(image)
    maps = net.body(image)[:-2]
    rois, levels = mx.nd.array([[0, 0, 0, 32, 32]], ctx=device), mx.nd.zeros(1, ctx=device)
    for head in filter(None, (net.box_head, net.mask_head)):
        head.summary(*maps, rois, levels)
