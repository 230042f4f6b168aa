"""The training of a detector: data, network, task and callbacks put together."""

import dataclasses
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import mxnet as mx

from ..analyze.plots import draw_panels
from ..attention.factory import attention_options
from ..config.card import Card
from ..config.detect import DetectRunConfig, has_masks
from ..data.canvas import Placement, choose
from ..data.coco import CocoSet, open_coco, open_coco_folder
from ..data.detection import DetectionLoader
from ..data.scenes import MEAN, STD, SceneOptions, open_scenes
from ..detect.examples import TestPictures
from ..detect.inference import InferenceOptions
from ..detect.learn import LearningOptions
from ..detect.progress import ClassTable, DetectionProgress
from ..detect.proposals import ProposalOptions
from ..detect.targets import PROPOSALS, ROIS
from ..detect.task import LOSSES, Detection, make_example
from ..engine import callbacks as cb
from ..engine.backend import Backend
from ..engine.devices import contexts
from ..engine.prepare_network import FEATURES
from ..engine.tracking import Pictures
from ..engine.trainer import Trainer
from ..models.build import build
from ..models.detection import Detector, detector_record
from ..utils.errors import UserError
from ..utils.log import get_logger
from .backbone_weights import start_from
from .folder import RunFolder
from .network import initialize
from .trainer import checkpoints, history_plot, trackers

_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # mean and std of its images
#: heading of a panel of history.png -> key of the records
CURVES = {
    "loss": "train_loss", **{name.removeprefix("loss_"): f"train_{name}" for name in LOSSES},
    "box AP": "val_bbox_mAP", "mask AP": "val_segm_mAP",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class DetectionData:
    """The data of a detector's run.

    Attributes:
        train, val: loaders.
        sets: the data sets behind them.
        placement: how images get onto their canvases.
    """

    train: DetectionLoader
    val: DetectionLoader
    sets: tuple[CocoSet, CocoSet]
    placement: Placement


def make_detection_trainer(
    config: DetectRunConfig, folder: RunFolder, backend: Backend, callbacks: Iterable[cb.Callback] = ()
) -> tuple[Trainer, Card, DetectionData]:
    """The trainer of a detector's run; writes nothing but digit-scenes where they are missing.

    Args:
        config: the options.
        folder: where its callbacks will write.
        backend: the processes of the run; only process 0 has callbacks.
        callbacks: further ones of process 0, which run first.

    Returns:
        (trainer, card of its network, data).

    Raises:
        UserError: the options do not fit each other, or files are missing or broken.
    """
    devices = contexts(config.train.gpus, config.train.num_gpus, backend)
    sets = open_sets(config)
    _check_objects(*sets)
    placement = make_placement(config, sets)
    net = make_detector(config, len(sets[0].class_names), placement, devices)
    _tell_random_start(config, net)
    if config.train.summary and not backend.rank:
        print_summary(net, placement, devices[0])
    learning = learning_options(config)
    train, val = _loaders(config, sets, placement, net, backend, len(devices))
    task = Detection(
        net, sets[1].ground_truth(), sets[1].category_ids, learning, inference_options(config),
        config.detect.eval_every, config.train.num_epochs,
    )  # fmt: skip
    pictures = TestPictures(net, sets[1], placement, inference_options(config))
    own = [] if backend.rank else [*callbacks, *_callbacks(config, folder, pictures)]
    trainer = Trainer(net, task, with_frozen_stages(config, net), devices, train, val, own, backend)
    return trainer, make_card(net, config, sets[0], placement), DetectionData(train, val, sets, placement)


def _loaders(
    config: DetectRunConfig, sets: tuple[CocoSet, CocoSet], placement: Placement, net: Detector, backend: Backend,
    devices: int,
) -> tuple[DetectionLoader, DetectionLoader]:  # fmt: skip
    common: dict[str, Any] = {
        "seed": config.train.seed, "num_workers": config.data.num_workers, "max_bad": config.data.max_bad_images,
        "rank": backend.rank, "size": backend.size,
    }  # fmt: skip
    batch, prepare = config.data.batch_size * devices, make_example(net.anchors, learning_options(config))
    train = DetectionLoader(sets[0], batch, placement, prepare, train=True, **common)
    return train, DetectionLoader(sets[1], config.data.batch_size, placement, train=False, **common)


def make_training_loader(config: DetectRunConfig, backend: Backend) -> tuple[DetectionLoader, tuple[int, int, int]]:
    """The training data of a run with all that is prepared for a step, and the shape of a landscape image.

    Args:
        config: the options.
        backend: the processes of the run.
    """
    sets = open_sets(config)
    placement = make_placement(config, sets)
    net = make_detector(config, len(sets[0].class_names), placement, [mx.cpu()])
    train, _ = _loaders(config, sets, placement, net, backend, 1)
    return train, (3, *placement.canvases.landscape)


def open_sets(config: DetectRunConfig) -> tuple[CocoSet, CocoSet]:
    """The training and the test set.

    Raises:
        UserError: a file is missing or broken, or the two have other classes.
    """
    data, masks = config.data, has_masks(config)
    if data.dataset == "digit-scenes":
        longer = data.sizes[1]
        options = SceneOptions(data.train_count or 1200, data.val_count or 200, min(640, -(-longer // 8) * 8))
        return open_scenes(options, data.data_dir, masks=masks, workers=data.num_workers)
    if data.dataset == "coco":
        sets = open_coco_folder(str(data.data_dir), masks=masks)
    else:
        train = open_coco(str(data.train_json), str(data.train_folder), masks=masks)
        sets = train, open_coco(str(data.val_json), str(data.val_folder), masks=masks, like=train)
    return _first(sets[0], data.train_count), _first(sets[1], data.val_count)


def _check_objects(train: CocoSet, test: CocoSet) -> None:
    """Both sets need objects. Images without some are learned from here; MMDetection and torchvision leave them out."""
    for images, what in ((train, "learn from"), (test, "evaluate with")):
        if not len(images.with_objects()):
            raise UserError(
                f"{images.path} has nothing to {what}: none of {len(images)} images has an object that is no crowd"
            )
    count = len(train) - len(train.with_objects())
    if count:
        text = "%d of %d training images have no objects and are learned from as background"
        get_logger().info(text, count, len(train))


def _tell_random_start(config: DetectRunConfig, net: Detector) -> None:
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


def _first(images: CocoSet, count: int | None) -> CocoSet:
    return images if count is None else images.subset(range(min(count, len(images))))


def make_placement(config: DetectRunConfig, sets: tuple[CocoSet, CocoSet]) -> Placement:
    """How the images of both sets get onto two canvases, or onto one that is square."""
    import numpy as np

    scenes = config.data.dataset == "digit-scenes"
    (shorter, longer), square = config.data.sizes, config.data.square
    canvases = choose(np.concatenate([one.sizes for one in sets]), shorter, longer, square)
    mean, std = (MEAN, STD) if scenes and not config.model.pretrained else _IMAGENET
    flip = not scenes if config.data.flip is None else config.data.flip
    return Placement(canvases, shorter, longer, mean, std, flip)


def learning_options(config: DetectRunConfig) -> LearningOptions:
    """How the options say that a detector learns."""
    detect = config.detect
    return LearningOptions(
        ProposalOptions(detect.pre_nms, detect.post_nms),
        dataclasses.replace(PROPOSALS, count=detect.rpn_samples),
        dataclasses.replace(ROIS, count=detect.roi_samples, positive=detect.roi_positive),
        detect.beta,
    )


def inference_options(config: DetectRunConfig) -> InferenceOptions:
    """What the options count as a detection."""
    detect = config.detect
    return InferenceOptions(
        ProposalOptions(detect.test_pre_nms, detect.test_post_nms), detect.score_threshold, detect.nms_threshold,
        detect.detections,
    )  # fmt: skip


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


def make_card(net: Detector, config: DetectRunConfig, images: CocoSet, placement: Placement) -> Card:
    """The card of a detector."""
    canvases = placement.canvases
    about = {
        "canvases": [list(canvases.landscape), list(canvases.portrait)],
        "shorter": max(placement.shorter), "longer": placement.longer,
        "category_ids": [int(one) for one in images.category_ids],
        "inference": dataclasses.asdict(inference_options(config)),
    }  # fmt: skip
    return Card(
        **net.recipe, dataset=config.data.dataset, class_names=tuple(images.class_names),
        input_shape=(3, *canvases.landscape), mean=tuple(placement.mean), std=tuple(placement.std), detection=about,
    )  # fmt: skip


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
    if config.model.pretrained:
        start_from(net, config.model.pretrained)
    if config.detect.norm_eval:
        net.body.backbone.apply(_evaluated)
    return net


def print_summary(net: Detector, placement: Placement, device: mx.Context) -> None:
    """Print the layers of each graph of a detector with their shapes and parameters; they are not hybridized yet."""
    image = mx.nd.zeros((1, 3, *placement.canvases.landscape), ctx=device)
    net.body.summary(image)
    maps = net.body(image)[:-2]
    rois, levels = mx.nd.array([[0, 0, 0, 32, 32]], ctx=device), mx.nd.zeros(1, ctx=device)
    for head in filter(None, (net.box_head, net.mask_head)):
        head.summary(*maps, rois, levels)


def check_detector(name: str) -> None:
    """Check that a network is a detector.

    Raises:
        UserError: it is not.
    """
    if detector_record(name) is None:
        raise UserError(f"option model: {name} is no detector; give one, such as mask_rcnn_fpn_{name}")


def _evaluated(block: Any) -> None:
    if isinstance(block, mx.gluon.nn.BatchNorm):
        block._kwargs["use_global_stats"] = True


def _callbacks(config: DetectRunConfig, folder: RunFolder, pictures: Pictures) -> Iterator[cb.Callback]:
    yield cb.MetricsFile(folder.metrics_file)
    yield cb.Best(folder.best_params)
    yield cb.Curves(partial(draw_panels, CURVES), history_plot(config, folder))
    yield from trackers(config, folder, pictures)
    yield cb.Checkpoints(checkpoints(config, folder))
    yield DetectionProgress(config.train.log_interval)
    yield ClassTable()
