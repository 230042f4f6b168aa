"""Gradient searches (Att-DARTS, ANAS), from options to a run folder."""

import dataclasses
from collections.abc import Iterator
from functools import partial

import mxnet as mx

from ..analyze.charts import operation_weights
from ..analyze.draw import draw, missing
from ..analyze.figures import save_png
from ..analyze.plots import draw_history
from ..config.run_kind import TITLES
from ..config.search import AnasConfig, AttDartsConfig
from ..data.factory import build_search
from ..engine import callbacks as cb
from ..engine.backend import Backend
from ..engine.devices import contexts
from ..search.darts import callbacks as search_cb
from ..search.darts.methods import METHODS, Genotype, SearchMethod
from ..search.darts.trainer import SearchTrainer
from ..utils import log
from ..utils.errors import UserError
from ..utils.progress import Progress
from ..utils.seed import seed_all
from .announcement import Announcement, loaders_text, unreached
from .folder import RunFolder
from .lone_norms import LoneNorms
from .options import Options
from .placement import placed
from .train import describing
from .trainer import checkpoints, fit, trackers


@dataclasses.dataclass(frozen=True)
class GradientSearchResult:
    """What a gradient search leaves.

    Attributes:
        folder: the run folder.
        genotype: what the alphas derive at the end, also in genotype.json.
        trainer: the trainer at the end.
    """

    folder: RunFolder
    genotype: Genotype
    trainer: SearchTrainer

    @property
    def last(self) -> dict:
        """The record of the last epoch, with `entropy` and `skips`."""
        return self.trainer.history[-1]

    @property
    def accuracy(self) -> float:
        """The supernet's validation accuracy at the end, from 0 to 1."""
        return self.trainer.task.score.of(self.last)


def with_reference_normalization(options: Options) -> Options:
    """The options, where CIFAR's images are normalized as both references do by default."""
    if not options.config().data.dataset.startswith("cifar"):
        return options
    return options.with_defaults({"data": {"normalization": "att-darts"}})


def gradient_search(options: Options, backend: Backend) -> GradientSearchResult:
    """Run a gradient search, or resume an earlier one.

    Args:
        options: of an `AttDartsConfig` or `AnasConfig`.
        backend: the processes of the run.

    Raises:
        UserError: options, data or the folder do not fit.
        TrainingError: the search cannot continue.
    """
    with placed(options, backend) as place:
        with Progress("preparing data and supernet"):
            trainer = make_search_trainer(place.config, place.folder, backend)
        backend.barrier()
        with describing(place, backend):
            fit(trainer, place.folder, place.resumed)
            if not trainer.history:
                raise UserError("nothing was searched")
        return GradientSearchResult(place.folder, trainer.task.derived()[0], trainer)


def make_search_trainer(
    config: AttDartsConfig | AnasConfig, folder: RunFolder | None, backend: Backend
) -> SearchTrainer:
    """The trainer of a search; writes nothing.

    Args:
        config: the options.
        folder: where its callbacks write; None: no callbacks.
        backend: the processes of the run.
    """
    seed, devices = config.train.seed, contexts(config.train.gpus, config.train.num_gpus, backend)
    method = METHODS[config.kind](config)
    data, alpha_loader = build_search(
        config.data, seed, config.search.train_portion, len(devices), backend.rank, backend.size
    )  # fmt: skip
    net = method.supernet(data.classes, data.input_shape[1])
    seed_all(seed)
    net.initialize(mx.init.MSRAPrelu(), ctx=devices)
    callbacks: list[cb.Callback] = []
    if not backend.rank and folder is not None:
        notes = tuple(unreached(config, data, len(devices)))
        first = Announcement(f"{TITLES[config.kind]}, supernet", loaders_text(data), folder, notes)
        norms = LoneNorms(net, data, devices, config, backend)
        callbacks = [first, norms, *_callbacks(config, folder, method)]
    trainer = SearchTrainer(
        net, config, method.derive, devices, data.train, alpha_loader, data.val, callbacks, backend
    )  # fmt: skip
    trainer.task.derived()  # what its options do not allow shows before the first epoch
    return trainer


def _callbacks(config: AttDartsConfig | AnasConfig, folder: RunFolder, method: SearchMethod) -> Iterator[cb.Callback]:
    yield cb.MetricsFile(folder.metrics_file)
    yield search_cb.GenotypeFile(folder.genotype_file, method.document)
    yield cb.Curves(draw_history, folder.history_plot)
    yield cb.Curves(partial(_draw_operations, method.candidates()), folder.operations_plot)
    if config.search.draw_every:
        if missing():
            log.get_logger().warning("%s; continuing without (option draw_every 0 asks for none)", missing())
        else:
            yield search_cb.CellPictures(folder.cells, config.search.draw_every, draw)
    yield from trackers(config, folder)
    yield cb.Checkpoints(checkpoints(config, folder))
    yield search_cb.SearchProgress(config.train.log_interval)  # an epoch that the log has is saved


def _draw_operations(operations, history, path):
    save_png(operation_weights(history, operations), path)
