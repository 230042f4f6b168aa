"""One training run, from options to a run folder: data, network, trainer, files; nothing is computed here."""

import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path

from ..config.train import RunConfig
from ..utils import log
from ..utils.errors import TrainingError
from . import folder as run_folder
from ..engine.watchdog import kept, spoken_for
from .network import make_card, make_network
from .teacher import make_teacher


@dataclass(frozen=True)
class Result:
    """What a run leaves: its folder, the records of its best and of all epochs, the network as it ended, its data."""

    folder: Path
    best: dict
    history: list
    net: object
    data: object


def run(given, recipe=None, defaults=None, kind=RunConfig, build=None):
    """Train as the options say; goes on with an earlier run where they ask for it. Returns a `Result`.

    given, recipe, defaults: plain data by option group; `given` wins over `recipe`, that over a script's `defaults`.
    kind: the class of all of it. build: as in `network.make_network`.
    """
    from ..engine.backend import connect

    backend = connect()
    if backend.rank:  # process 0 speaks and writes for all
        log.to_terminal(logging.ERROR)
    with backend.watched():
        config, folder, resumed = run_folder.place(kind, given, recipe or {}, defaults or {})
        trainer, card, data = _prepare(config, folder, backend, build)  # what is wrong shows before all writing
        backend.barrier()
        with contextlib.nullcontext() if backend.rank else run_folder.written(folder, config, card, resumed):
            best = fit(trainer, folder, resumed)
        return Result(folder, best, trainer.history, trainer.net, data)


def evaluate(config):
    """Print loss and scores over the test images of the network that a `RunConfig` names; no run folder is made."""
    from ..engine import evaluate as testing
    from ..engine.backend import connect

    backend = connect()
    with backend.watched():
        trainer, _, data = _prepare(config, Path("runs"), backend)
        with trainer.operators:
            scores = testing.evaluate(trainer.compute, data.val, trainer.contexts, backend.total)
    if not backend.rank:
        print(", ".join(f"{name} {value:.4f}" for name, value in scores.items()))


def _prepare(config, folder, backend, build=None):
    """(trainer, card, data) of a run; writes nothing."""
    from ..data import factory as data_factory
    from ..engine.devices import contexts
    from ..engine.trainer import Trainer

    if backend.rank:
        config = config.replace(train=config.train.replace(summary=False))
    devices = contexts(config.train.gpus, config.train.num_gpus, backend)
    data = data_factory.build(config.data, config.train.seed, len(devices), backend.rank, backend.size)
    net, teacher = make_network(config, data, devices, build), make_teacher(config.distill, data, devices)
    callbacks = () if backend.rank else _callbacks(config, folder)
    trainer = Trainer(net, config, devices, data.train, data.val, callbacks, backend, teacher)
    return trainer, make_card(net, data), data


def fit(trainer, folder, resumed):
    """Train, from the newest whole checkpoint when resuming; returns the best epoch's record."""
    from ..convert.gluon_names import sorted_names
    from ..engine.mxnet_states import load_states
    from ..engine.state import begin_at

    store = store_of(trainer.config, folder)
    checkpoint = store.newest() if resumed else None
    if checkpoint:
        trainer.resume(*checkpoint)
        log.get_logger().info("going on after epoch %d of %s", trainer.epoch - 1, folder)
    else:
        train = trainer.config.train
        if train.start_epoch:
            begin_at(trainer, train.start_epoch)
        if train.resume_states:
            load_states(trainer, train.resume_states, sorted_names(trainer.net))
    try:
        with spoken_for(store.folder) if trainer.backend.size > 1 else contextlib.nullcontext():
            return trainer.fit()
    except TrainingError as error:
        raise TrainingError(f"{error}; {kept(store.folder)}") from None


def store_of(config, folder):
    """The `CheckpointStore` of a run."""
    from ..checkpoint import CheckpointStore

    return CheckpointStore(folder / "checkpoints", config.train.keep_checkpoints)


def _callbacks(config, folder):
    from ..analyze.plots import draw_history
    from ..engine import callbacks as cb
    from ..engine import tracking

    train = config.train
    name = run_folder.run_name(config)
    plots = Path(train.save_plot_dir) / f"{name}_history.png" if train.save_plot_dir else folder / "history.png"
    yield cb.Progress(train.log_interval)
    yield cb.MetricsFile(folder / "metrics.jsonl")
    yield cb.Best(folder / "best.params")
    if train.save_period:
        yield cb.Periodic(train.save_dir or folder / "params", name, train.save_period)
    yield cb.Curves(draw_history, plots)
    if train.tensorboard:
        yield tracking.TensorBoard(folder / "events")
    if train.wandb:
        yield tracking.WeightsAndBiases(folder, train.project)
    yield cb.Checkpoints(store_of(config, folder))
