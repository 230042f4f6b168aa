"""Training commands: options -> data, network, trainer; nothing is computed here."""

from dataclasses import dataclass
from pathlib import Path

from ..config.card import Card
from ..config.train import RunConfig
from ..utils import log
from ..utils.errors import TrainingError, UserError
from ..utils.files import clear_leftovers, ensure_dir
from ..utils.seed import seed_all
from . import run_folder
from .flags import make_parser, parse, resolve
from .guard import guarded


def train_cifar(argv=None):
    """Entry point of train_cifar.py; returns the exit code."""
    return guarded(_train_cifar, argv)


def _train_cifar(argv):
    parser = make_parser("train_cifar.py", "Train a network on small images.", RunConfig, {})
    result = run(*parse(parser, argv))
    best = result.best
    log.get_logger().info(
        "best test accuracy %.4f in epoch %d; run folder %s",
        best["val_accuracy"],
        best["epoch"],
        result.folder,
    )
    return 0


@dataclass(frozen=True)
class Result:
    """What a run leaves: its folder, the records of its best and of all epochs, the network as it ended, its data."""

    folder: Path
    best: dict
    history: list
    net: object
    data: object


def run(given, recipe=None):
    """Train as the options say; goes on with an earlier run where they ask for it. Returns a `Result`.

    given, recipe: plain data by option group; `given` wins.
    """
    config, folder, resumed = _where(given, recipe or {})
    trainer, card, data = _prepare(config, folder)  # whatever is wrong shows here, before anything is written
    if resumed:
        clear_leftovers(folder)
    run_folder.describe(ensure_dir(folder), config, card)
    handler = log.to_file(folder / "log.txt")
    try:
        best = _fit(trainer, folder, resumed)
        return Result(folder, best, trainer.history, trainer.net, data)
    finally:
        log.close(handler)


def _where(given, recipe):
    """(config, run folder, whether it goes on): on resuming, the run's own options stand unless given anew."""
    config = resolve(RunConfig, recipe, given)
    if config.train.resume is None:
        return config, run_folder.new_folder(config), False
    if config.train.resume != "auto":
        raise UserError(f"--resume takes auto, got {config.train.resume!r}; --run-dir names the run's folder")
    folder = run_folder.find_run(config)
    if folder is None:
        log.get_logger().info("no run to go on with: starting anew")
        return config, run_folder.new_folder(config), False
    stored = run_folder.read_config(folder)
    config = resolve(RunConfig, stored.to_dict(), recipe, given)
    changed = run_folder.changed_options(stored, config)
    if changed:
        raise UserError(f"{folder} was made with other options ({', '.join(changed)}): start a new run for these")
    return config, folder, True


def _prepare(config, folder):
    """(trainer, card, data) of a run; writes nothing."""
    from ..data import factory as data_factory
    from ..engine.devices import contexts
    from ..engine.trainer import Trainer

    devices = contexts(config.train.gpus, config.train.num_gpus)
    data = data_factory.build(config.data, config.train.seed, devices=len(devices))
    net = make_network(config, data, devices)
    callbacks = _callbacks(config, folder)
    return Trainer(net, config, devices, data.train, data.val, callbacks), make_card(net, data), data


def _fit(trainer, folder, resumed):
    """Train, from the newest whole checkpoint when resuming; returns the best epoch's record."""
    store = _store(trainer.config, folder)
    checkpoint = store.newest() if resumed else None
    if checkpoint:
        trainer.resume(*checkpoint)
        log.get_logger().info("going on after epoch %d of %s", trainer.epoch - 1, folder)
    try:
        return trainer.fit()
    except TrainingError as error:
        last = store.list()
        kept = f"the last checkpoint is {last[-1]}" if last else "there is no checkpoint yet"
        raise TrainingError(f"{error}; {kept}") from None


def _store(config, folder):
    from ..checkpoint import CheckpointStore

    return CheckpointStore(folder / "checkpoints", config.train.keep_checkpoints)


def make_network(config, data, devices):
    """The network of a run on its devices, initialized from the seed (He et al. 2015) or from a parameter file."""
    import mxnet as mx

    from ..models.build import build
    from ..nn.params import load_params

    net = build(config.model.replace(pretrained=None), data.classes, data.input_shape[1])
    seed_all(config.train.seed)
    net.initialize(mx.init.MSRAPrelu(), ctx=devices)
    if config.model.pretrained:
        load_params(net, config.model.pretrained)
    if config.train.summary:
        net.summary(mx.nd.zeros((1, *data.input_shape), ctx=devices[0]))
    return net


def make_card(net, data):
    """The `Card` of a network that is trained on `data`."""
    return Card(
        **net.recipe,
        dataset=data.name,
        class_names=tuple(data.class_names),
        input_shape=data.input_shape,
        mean=tuple(data.mean),
        std=tuple(data.std),
    )


def _callbacks(config, folder):
    from ..analyze.plots import draw_history
    from ..engine import callbacks as cb

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
        yield cb.TensorBoard(folder / "events")
    yield cb.Checkpoints(_store(config, folder))
