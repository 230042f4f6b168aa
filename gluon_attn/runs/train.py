"""Training runs, from options to a run folder: data, network, task, trainer and files are put together here."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock

from ..analyze.plots import draw_history
from ..checkpoint import CheckpointStore
from ..config.card import Card
from ..config.scores import Score
from ..config.train import RunConfig
from ..convert.gluon_names import sorted_names
from ..data.factory import DataLoaders
from ..data.factory import build as build_data
from ..engine import callbacks as cb
from ..engine import tracking
from ..engine.backend import Backend, connect
from ..engine.classification import Classification, Distillation
from ..engine.devices import contexts
from ..engine.mxnet_states import load_states
from ..engine.state import start_at_epoch
from ..engine.task import Task
from ..engine.trainer import Trainer
from ..engine.watchdog import newest_checkpoint, watched
from ..models.build import build as build_model
from ..utils import log
from ..utils.errors import TrainingError
from .folder import RunFolder
from .implied_options import with_implied
from .network import Build, make_card, make_network, make_teacher
from .options import Options, from_keywords
from .placement import Place, placed, run_name


@dataclass(frozen=True)
class Result:
    """What a training run leaves.

    Attributes:
        folder: the run folder.
        best: the record of the best epoch.
        history: the records of all epochs, as in metrics.jsonl.
        net: the network as it ended; the best epoch's weights are in the folder.
        data: what it was trained and evaluated on.
        score_kind: which score decided what is best.
    """

    folder: Path
    best: dict
    history: list[dict]
    net: HybridBlock
    data: DataLoaders
    score_kind: Score

    @property
    def score(self) -> float:
        """The best score; of a classifier its top-1 accuracy on the test images, from 0 to 1."""
        return self.score_kind.of(self.best)


def train(
    *, model: str | None = None, attention: str | None = None, dataset: str | None = None, **options: Any
) -> Result:
    """Train a network, as `gluon-attn train` does.

    Args:
        model: name of the network (default "cifar_resnet20_v1"); see `list_models`.
        attention: name of its attention (default none); see `list_attentions`.
        dataset: name of the data set (default "cifar10"), such as "digits", "cifar100", "imagenet_folder".
        options: further options, by their names as flags and in recipes, such as num_epochs=8, lr=0.1,
            run_dir="runs/se", resume="auto"; `gluon-attn train --help` lists all. A group may be a mapping,
            optim={"lr": 0.1}; config=FILE reads a recipe.

    Returns:
        The `Result` of the run, whose files are in its folder.

    Raises:
        UserError: an unknown option, a value that does not fit, or files that are missing or broken.
        TrainingError: the run cannot continue, such as after a loss that is not finite.
    """
    named = {"model": model, "attention": attention, "dataset": dataset}
    given = {name: value for name, value in named.items() if value is not None}
    return train_run(with_implied(from_keywords(RunConfig, {**options, **given})))


def train_run(options: Options, build: Build = build_model) -> Result:
    """Train as the options say, or resume an earlier run where they ask for it.

    Args:
        options: of a `RunConfig` or a class with its groups.
        build: makes the network, as in `network.make_network`.

    Raises:
        UserError: as `train`.
        TrainingError: as `train`.
    """
    backend = connect_quietly()
    with backend.peer_failures(), placed(options, backend) as place:
        trainer, card, data = make_trainer(place.config, place.folder, backend, build)  # errors before files
        backend.barrier()
        with describing(place, backend, card):
            best = fit(trainer, place.folder, place.resumed)
        return Result(place.folder.path, best, trainer.history, trainer.net, data, trainer.task.score)


def connect_quietly() -> Backend:
    """The backend of this process; only process 0 logs."""
    backend = connect()
    if backend.rank:
        log.to_terminal(logging.ERROR)
    return backend


def describing(place: Place, backend: Backend, card: Card | None = None) -> contextlib.AbstractContextManager:
    """A context in which the folder of a `Place` describes the run and logs it; only process 0 writes."""
    if backend.rank:
        return contextlib.nullcontext()
    return place.folder.logged(place.config, card, place.resumed)


def evaluate_pretrained(config: RunConfig) -> tuple[dict[str, float], Backend]:
    """Evaluate the network that a config names, with its weights, on the test images; no run folder is made.

    Args:
        config: the options.

    Returns:
        (name -> score, the backend, whose process 0 is to print them).
    """
    backend = connect()
    with backend.peer_failures():
        trainer, _, data = make_trainer(config, RunFolder("runs"), backend)
        with trainer.operators:
            scores = trainer.task.evaluate(trainer.forward, data.val, trainer.contexts, backend.allreduce_sum)
    return scores, backend


def make_trainer(
    config: Any, folder: RunFolder, backend: Backend, build: Build = build_model
) -> tuple[Trainer, Card, DataLoaders]:
    """The trainer of a run; writes nothing.

    Args:
        config: a `RunConfig` or a config with its groups.
        folder: where its callbacks will write.
        backend: the processes of the run; only process 0 has callbacks.
        build: makes the network, as in `network.make_network`.

    Returns:
        (trainer, card of its network, data).
    """
    if backend.rank:
        config = config.replace(train=config.train.replace(summary=False))
    devices = contexts(config.train.gpus, config.train.num_gpus, backend)
    data = build_data(config.data, config.train.seed, len(devices), backend.rank, backend.size)
    net = make_network(config, data, devices, build)
    task = make_task(config, data, devices)
    callbacks = () if backend.rank else _callbacks(config, folder)
    trainer = Trainer(net, task, config, devices, data.train, data.val, callbacks, backend)
    return trainer, make_card(net, data), data


def make_task(config: Any, data: DataLoaders, devices: list[mx.Context]) -> Task:
    """The task of a run on `devices`: classification, or distillation where option teacher names a network."""
    teacher = make_teacher(config.distill, data, devices)
    weight = config.train.auxiliary_weight
    return Classification(weight) if teacher is None else Distillation(config.distill, teacher, weight)


def fit(trainer: Trainer, folder: RunFolder, resumed: bool) -> dict:
    """Train, from the newest complete checkpoint when resuming.

    Args:
        trainer: the trainer.
        folder: its run folder.
        resumed: whether to resume.

    Returns:
        The record of the best epoch.

    Raises:
        TrainingError: the run cannot continue; the message names the newest checkpoint.
    """
    store = checkpoints(trainer.config, folder)
    checkpoint = store.newest() if resumed else None
    train = trainer.config.train
    if checkpoint:
        trainer.resume(*checkpoint)
        log.get_logger().info("resuming after epoch %d of %s", trainer.epoch - 1, folder)
    elif train.start_epoch:
        start_at_epoch(trainer, train.start_epoch)
    if train.resume_states and not checkpoint:
        load_states(trainer, train.resume_states, sorted_names(trainer.net))
    try:
        with watched(store.folder) if trainer.backend.size > 1 else contextlib.nullcontext():
            return trainer.fit()
    except TrainingError as error:
        raise TrainingError(f"{error}; {newest_checkpoint(store.folder)}") from None


def checkpoints(config: Any, folder: RunFolder) -> CheckpointStore:
    """The checkpoints of a run."""
    return CheckpointStore(folder.checkpoints, config.train.keep_checkpoints)


def trackers(config: Any, folder: RunFolder) -> Iterator[cb.Callback]:
    """The callbacks that log to TensorBoard and Weights & Biases, where the options ask for them."""
    if config.train.tensorboard:
        yield tracking.TensorBoard(folder.events)
    if config.train.wandb:
        yield tracking.WeightsAndBiases(folder.path, config.train.project)


def _callbacks(config, folder):
    train, name = config.train, run_name(config)
    plot = Path(train.save_plot_dir) / f"{name}_history.png" if train.save_plot_dir else folder.history_plot
    yield cb.Progress(train.log_interval)
    yield cb.MetricsFile(folder.metrics_file)
    yield cb.Best(folder.best_params)
    if train.save_period:
        yield cb.Periodic(train.save_dir or folder.params, name, train.save_period)
    yield cb.Curves(draw_history, plot)
    yield from trackers(config, folder)
    yield cb.Checkpoints(checkpoints(config, folder))
