"""Training runs, from options to a run folder."""

import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mxnet.gluon import HybridBlock

from ..config.card import Card
from ..config.detect import DetectRunConfig
from ..config.scores import Score
from ..config.tasks import CLASSIFICATION, task_named
from ..config.train import RunConfig
from ..data.factory import DataLoaders
from ..engine.backend import Backend, connect
from ..engine.callbacks import Callback
from ..models.build import build as build_model
from ..utils import log
from ..utils.progress import Progress
from .detection import DetectionData, make_detection_trainer
from .folder import RunFolder
from .implied_options import with_implied
from .network import Build
from .options import Options, from_keywords
from .placement import Place, placed
from .trainer import fit, make_trainer


@dataclass(frozen=True)
class Result:
    """What a training run leaves.

    Attributes:
        folder: the run folder.
        best: the record of the best epoch.
        history: the records of all epochs, as in metrics.jsonl.
        net: the network as it ended, hybridized unless option mode is imperative; the best epoch's weights are in the
            folder.
        data: what it was trained and evaluated on.
        score_kind: which score decided what is best.
    """

    folder: Path
    best: dict
    history: list[dict]
    net: HybridBlock
    data: DataLoaders | DetectionData
    score_kind: Score

    @property
    def score(self) -> float:
        """The best score; of a classifier its top-1 accuracy on the test images, from 0 to 1."""
        return self.score_kind.of(self.best)


def train(
    *,
    model: str | None = None,
    attention: str | None = None,
    dataset: str | None = None,
    task: str = CLASSIFICATION.name,
    **options: Any,
) -> Result:
    """Train a network, as `gluon-attn train` does.

    Args:
        model: name of the network (default "cifar_resnet20_v1"); see `list_models`.
        attention: name of its attention (default none); see `list_attentions`.
        dataset: name of the data set (default "cifar10"), such as "digits", "cifar100", "imagenet_folder".
        task: what is trained for, "classification" or "detection", whose options are those of
            `train_coco.py --help-all` and whose defaults are other ones.
        options: further options, by their names as flags and in recipes, such as num_epochs=8, lr=0.1,
            run_dir="runs/se", resume="auto"; `gluon-attn train --help-all` lists all. A group may be a
            mapping, optim={"lr": 0.1}; config=FILE reads a recipe.

    Returns:
        The `Result` of the run, whose files are in its folder.

    Raises:
        UserError: an unknown option, a value that does not fit, or files that are missing or broken.
        TrainingError: the run cannot continue, such as after a loss that is not finite.
    """
    named = {"model": model, "attention": attention, "dataset": dataset}
    given = {name: value for name, value in named.items() if value is not None}
    about = task_named(task)
    return train_run(with_implied(from_keywords(about.config, {**options, **given}, about.defaults)))


def train_run(options: Options, build: Build = build_model, callbacks: Iterable[Callback] = ()) -> Result:
    """Train as the options say, or resume an earlier run where they ask for it.

    Args:
        options: of a `RunConfig` or a class with its groups.
        build: makes the network, as in `network.make_network`.
        callbacks: run before those of the run itself, in process 0.

    Raises:
        UserError: as `train`.
        TrainingError: as `train`.
    """
    backend = connect_quietly()
    with backend.peer_failures(), placed(options, backend) as place:
        make = (
            make_detection_trainer if place.config.kind == DetectRunConfig.kind else partial(make_trainer, build=build)
        )
        with Progress("preparing data and network"):
            trainer, card, data = make(place.config, place.folder, backend, callbacks=callbacks)  # errors before files
        backend.barrier()
        with describing(place, backend, card):
            best = fit(trainer, place.folder, place.resumed)
        if place.config.train.mode == "hybrid":
            _hybridize(trainer.net)
        return Result(place.folder.path, best, trainer.history, trainer.net, data, trainer.task.score)


def _hybridize(net: HybridBlock) -> None:
    """Compile a network, or the graphs of a detector, where a changed form of it was trained in its place."""
    if hasattr(net, "computed_by"):
        net.computed_by(_hybridize)
    elif isinstance(net, HybridBlock) and not net._active:
        net.hybridize(static_alloc=True, static_shape=True)


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
    return _logged(place, card)


@contextlib.contextmanager
def _logged(place, card):
    with place.folder.logged(place.config, card, place.resumed, place.restarted):
        for note in place.notes:
            log.get_logger().warning(note)
        yield


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
