"""The trainer of a run: data, network, task and callbacks put together, and its training from the newest checkpoint."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import mxnet as mx

from ..analyze.plots import draw_history
from ..checkpoint import CheckpointStore
from ..config.card import Card
from ..convert.gluon_names import sorted_names
from ..data.factory import DataLoaders
from ..data.factory import build as build_data
from ..engine import callbacks as cb
from ..engine import tracking
from ..engine.backend import Backend
from ..engine.classification import Classification, Distillation
from ..engine.devices import contexts
from ..engine.frozen_start import FrozenStart, pretrained_features
from ..engine.mxnet_states import load_states
from ..engine.state import start_at_epoch
from ..engine.task import Task
from ..engine.trainer import Trainer
from ..models.base import network_text
from ..models.build import build as build_model
from ..utils import log
from ..utils.errors import UserError
from .announcement import Announcement, loaders_text, unreached
from .earlier_runs import run_name
from .folder import RunFolder
from .lone_norms import LoneNorms
from .network import Build, make_card, make_network, make_teacher


def make_trainer(
    config: Any,
    folder: RunFolder,
    backend: Backend,
    build: Build = build_model,
    callbacks: Iterable[cb.Callback] = (),
) -> tuple[Trainer, Card, DataLoaders]:
    """The trainer of a run; writes nothing.

    Args:
        config: a `RunConfig` or a config with its groups.
        folder: where its callbacks will write.
        backend: the processes of the run; only process 0 has callbacks.
        build: makes the network, as in `network.make_network`.
        callbacks: further ones of process 0, which run first.

    Returns:
        (trainer, card of its network, data).
    """
    if backend.rank:
        config = config.replace(train=config.train.replace(summary=False))
    devices = contexts(config.train.gpus, config.train.num_gpus, backend)
    data = build_data(config.data, config.train.seed, len(devices), backend.rank, backend.size)
    net = make_network(config, data, devices, build)
    task = make_task(config, data, devices)
    frozen = FrozenStart(pretrained_features(net), config.optim.freeze_epochs)
    all_callbacks: list[cb.Callback] = [frozen]
    if not backend.rank:
        notes = tuple(unreached(config, data, len(devices)))
        first = Announcement(network_text(net.recipe), loaders_text(data), folder, notes)
        norms = LoneNorms(net, data, devices, config, backend)
        all_callbacks += [first, *callbacks, norms, *_callbacks(config, folder)]
    trainer = Trainer(net, task, config, devices, data.train, data.val, all_callbacks, backend)
    frozen.check(net)
    return trainer, make_card(net, data), data


def make_task(config: Any, data: DataLoaders, devices: list[mx.Context]) -> Task:
    """The task of a run on `devices`: classification, or distillation where option teacher names a network."""
    teacher = make_teacher(config.distill, data, devices)
    weight = config.train.auxiliary_weight
    return Classification(weight, config.train) if teacher is None else Distillation(config.distill, teacher, weight)


def fit(trainer: Trainer, folder: RunFolder, resumed: bool) -> dict:
    """Train, from the newest complete checkpoint when resuming.

    Args:
        trainer: the trainer.
        folder: its run folder.
        resumed: whether to resume.

    Returns:
        The record of the best epoch.

    Raises:
        UserError: it is to be resumed, has finished epochs, and no whole checkpoint.
        TrainingError: the run cannot continue, or its files cannot be written; the message names the newest
            checkpoint.
    """
    store = checkpoints(trainer.config, folder)
    checkpoint = store.newest() if resumed else None
    if resumed and checkpoint is None and folder.has_results and len(folder.read_history()) > 1:
        raise UserError(f"{folder} cannot be resumed, none of its checkpoints is whole: choose another option run_dir")
    train = trainer.config.train
    if checkpoint:
        trainer.resume(*checkpoint)
        log.get_logger().info("resuming after epoch %d of %s", trainer.epoch - 1, folder)
        if trainer.epoch >= train.num_epochs:
            text = "nothing is left to train, the run has %d of %d epochs: a larger option num_epochs continues it"
            log.get_logger().warning(text, trainer.epoch, train.num_epochs)
    elif train.start_epoch:
        start_at_epoch(trainer, train.start_epoch)
    if train.resume_states and not checkpoint:
        load_states(trainer, train.resume_states, sorted_names(trainer.net))
    with trainer.backend.watched(store.folder):
        return trainer.fit()


def checkpoints(config: Any, folder: RunFolder) -> CheckpointStore:
    """The checkpoints of a run."""
    return CheckpointStore(folder.checkpoints, config.train.keep_checkpoints)


def history_plot(config: Any, folder: RunFolder) -> Path:
    """Where the curves of a run go."""
    chosen = config.train.save_plot_dir
    return Path(chosen) / f"{run_name(config)}_history.png" if chosen else folder.history_plot


def trackers(config: Any, folder: RunFolder, pictures: tracking.Pictures | None = None) -> Iterator[cb.Callback]:
    """The callbacks that log to TensorBoard and Weights & Biases, where the options ask for them.

    Args:
        config: the options.
        folder: of the run.
        pictures: as of `tracking.WeightsAndBiases`.
    """
    if config.train.tensorboard:
        yield tracking.TensorBoard(folder.events)
    if config.train.wandb:
        yield tracking.WeightsAndBiases(folder.path, config.train.project, pictures)


def _callbacks(config, folder):
    train, name = config.train, run_name(config)
    yield cb.MetricsFile(folder.metrics_file)
    yield cb.Best(folder.best_params)
    if train.save_period:
        yield cb.Periodic(train.save_dir or folder.params, name, train.save_period)
    yield cb.Curves(draw_history, history_plot(config, folder))
    yield from trackers(config, folder)
    yield cb.Checkpoints(checkpoints(config, folder))
    yield cb.Progress(train.log_interval)  # an epoch that the log has is saved
