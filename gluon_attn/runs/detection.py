"""The training of a detector: data, network, task and callbacks put together."""

import dataclasses
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import mxnet as mx

from ..analyze.plots import draw_panels
from ..config.card import Card
from ..config.detect import DetectRunConfig
from ..data.canvas import Placement
from ..data.coco import CocoSet
from ..data.detection import DetectionLoader
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
from ..engine.frozen_start import FrozenStart
from ..engine.tracking import Pictures
from ..engine.trainer import Trainer
from ..models.base import network_text
from ..models.detection import Detector
from .announcement import Announcement, data_text
from .detection_data import check_objects, make_placement, open_sets
from .detection_network import make_card, make_detector, print_summary, tell_random_start, with_frozen_stages
from .folder import RunFolder
from .start_weights import pretrained_backbone
from .trainer import checkpoints, history_plot, trackers

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
    check_objects(*sets)
    placement = make_placement(config, sets)
    net = make_detector(config, len(sets[0].class_names), placement, devices)
    tell_random_start(config, net)
    if config.train.summary and not backend.rank:
        print_summary(net, placement, devices[0])
    learning = learning_options(config)
    train, val = _loaders(config, sets, placement, net, backend, len(devices))
    task = Detection(
        net, sets[1].ground_truth(), sets[1].category_ids, learning, inference_options(config),
        config.detect.eval_every, config.train.num_epochs,
    )  # fmt: skip
    pictures = TestPictures(net, sets[1], placement, inference_options(config))
    words = data_text(config.data.dataset, len(sets[0]), len(sets[1]), len(sets[0].class_names), _canvas(placement))
    first = Announcement(network_text(net.recipe), words, folder)
    frozen = FrozenStart(pretrained_backbone(net), config.optim.freeze_epochs)
    own = [frozen, *([] if backend.rank else [first, *callbacks, *_callbacks(config, folder, pictures)])]
    trainer = Trainer(net, task, with_frozen_stages(config, net), devices, train, val, own, backend)
    frozen.check(net)
    card = make_card(net, config, sets[0], placement, inference_options(config))
    return trainer, card, DetectionData(train, val, sets, placement)


def _canvas(placement: Placement) -> tuple[int, int, int]:
    return 3, *placement.canvases.landscape


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
    return train, _canvas(placement)


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


def _callbacks(config: DetectRunConfig, folder: RunFolder, pictures: Pictures) -> Iterator[cb.Callback]:
    yield cb.MetricsFile(folder.metrics_file)
    yield cb.Best(folder.best_params)
    yield cb.Curves(partial(draw_panels, CURVES), history_plot(config, folder))
    yield from trackers(config, folder, pictures)
    yield cb.Checkpoints(checkpoints(config, folder))
    yield DetectionProgress(config.train.log_interval)
    yield ClassTable()
