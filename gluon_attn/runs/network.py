"""The network of a run, the teacher it learns from, and the card that describes it."""

import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock

from ..analyze.graph import check_input
from ..config.card import Card
from ..config.distill import DistillConfig
from ..config.train import TrainConfig
from ..data.base import Dataset
from ..data.factory import DataLoaders
from ..deploy.load_run import load_run, refuse_detector
from ..models.build import build as build_model
from ..models.detection import detector_record
from ..models.factory import get_model, model_info
from ..models.start_weights import start_path
from ..utils.errors import UserError
from ..utils.seed import seed_all
from .evaluation_data import open_named_set
from .start_weights import apply_attention_start, start_classifier

#: options that are about the network of the parameter file itself
_WHOLE_FILE = ("evaluate", "start_epoch", "resume_states")
#: makes the network of a `ModelConfig` for (config, classes, height of the images)
Build = Callable[[Any, int, int], HybridBlock]


def make_network(config: Any, data: DataLoaders, devices: list[mx.Context], build: Build = build_model) -> HybridBlock:
    """The network of a run on its devices, initialized from the seed (He et al. 2015) or from a parameter file.

    What the file has not, the modules of the plan, and the classifier of a file for another number of classes start
    anew, with a warning.

    Args:
        config: a `RunConfig`.
        data: what it trains on.
        devices: where.
        build: makes the network (default: `models.build.build`).

    Raises:
        UserError: the options, the file or the sizes of the images do not fit the network.
    """
    check_classifier(config.model.model)
    model = config.model.replace(pretrained=None, use_pretrained=False)
    net = build(model, data.classes, data.input_shape[1])
    if isinstance(net, HybridBlock):
        check_input(net, data.input_shape)
    start: Path | str | None = config.model.pretrained
    if config.model.use_pretrained:
        start = start_path(net)
    initialize(net, config.train, devices)
    strict = any(getattr(config.train, name) for name in _WHOLE_FILE)
    took = start_classifier(net, start, data.classes, strict) if start else None
    apply_attention_start(net, config.model.attention_start, took, data.input_shape[1:], devices[0])
    check_sizes(net, data.progressive_sizes, devices, f"model {config.model.model}")
    if config.train.summary:
        net.summary(mx.nd.zeros((1, *data.input_shape), ctx=devices[0]))
    return net


def check_classifier(name: str) -> None:
    """Check that the network of this name is no detector.

    Raises:
        UserError: it is one.
    """
    if detector_record(name) is not None:
        raise UserError(
            f"{name} is a detector: train it with train_coco.py or option task detection, and name its run folder "
            "to evaluate or use it"
        )


def initialize(net: HybridBlock, train: TrainConfig, devices: list[mx.Context]) -> None:
    """Initialize a network from the seed of a run (He et al. 2015).

    Args:
        net: the network.
        train: options seed and init.
        devices: where.
    """
    seed_all(train.seed)
    if train.init == "sequence":
        net.initialize(mx.init.MSRAPrelu(), ctx=devices)
        return
    for name, param in net._collect_params_with_prefix().items():
        if param._data is None and not param._deferred_init:  # a shared tensor has its first name
            seed_all(train.seed, zlib.crc32(name.encode()))
            param.initialize(default_init=mx.init.MSRAPrelu(), ctx=devices)
    seed_all(train.seed)


def check_sizes(net: HybridBlock, sizes: Iterable[tuple[int, int]], devices: list[mx.Context], name: str) -> None:
    """Check that a network, not hybridized, takes images of these sizes.

    Args:
        net: the network.
        sizes: (height, width) of each.
        devices: where it is.
        name: what the error calls the network.

    Raises:
        UserError: it does not take one of them.
    """
    for size in sizes:
        try:
            net(mx.nd.zeros((1, 3, *size), ctx=devices[0])).wait_to_read()
        except UserError as error:
            raise UserError(f"{name} takes no images of {'x'.join(map(str, size))}: {error}") from None


def make_teacher(config: DistillConfig, data: DataLoaders, devices: list[mx.Context]) -> HybridBlock | None:
    """The trained network that a run learns from, on the run's devices, or None where the options name none.

    Args:
        config: option teacher names it.
        data: what the run trains on.
        devices: the devices of the run.

    Raises:
        UserError: it was trained on images normalized in another way or with another number of classes, takes no
            images of the run's sizes, or cannot be found.
    """
    if not config.teacher:
        return None
    folder = Path(config.teacher)
    by_name = config.teacher_params or not (folder.is_dir() or len(folder.parts) > 1)
    net = _named_teacher(config, data) if by_name else _teacher_of_run(folder, data)
    net.collect_params().setattr("grad_req", "null")
    net.collect_params().reset_ctx(devices)
    net.hybridize(False)
    check_sizes(net, [data.input_shape[1:], *data.progressive_sizes], devices, f"teacher {config.teacher}")
    return net


def _named_teacher(config, data):
    check_classifier(config.teacher)
    weights = config.teacher_params or True
    return get_model(config.teacher, data.classes, pretrained=weights, input_size=data.input_shape[1])


def _teacher_of_run(folder, data):
    net, card = load_run(folder)
    refuse_detector(card, f"teacher {folder}")
    if card.classes != data.classes:
        raise UserError(f"teacher {folder} has {card.classes} classes, the data have {data.classes}")
    for what in ("mean", "std"):
        own, here = getattr(card, what), tuple(getattr(data, what))
        if own != here:
            raise UserError(f"teacher {folder} was trained with images normalized by {what} {own}, here it is {here}")
    return net


def named_network(
    name: str, params: Path | str | bool, dataset: str | None, options: dict[str, Any]
) -> tuple[HybridBlock, Dataset]:
    """A hybridized network by its name, with a parameter file, and the data that say how many classes it has.

    Args:
        name: of the model.
        params: the parameter file, or True for the published one.
        dataset, options: see `evaluation_data.open_named_set`.
    """
    check_classifier(name)
    source = open_named_set(dataset, options, model_info(name).input_size)
    net = get_model(name, source.classes, pretrained=params, input_size=source.input_shape[1])
    net.hybridize(static_alloc=True)
    return net, source


def make_card(net: HybridBlock, data: DataLoaders | Dataset) -> Card:
    """The card of a network that is trained on `data`."""
    return Card(
        **net.recipe,
        dataset=data.name,
        class_names=tuple(data.class_names),
        input_shape=data.input_shape,
        mean=tuple(data.mean),
        std=tuple(data.std),
    )
