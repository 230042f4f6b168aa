"""Short trainings of derived networks, to tell which is the best; the images are those of the search."""

import mxnet as mx

from ..config.search import AnasConfig, AttDartsConfig
from ..config.train import RunConfig
from ..data.factory import build_search
from ..engine.backend import Backend
from ..engine.callbacks import Callback, Progress
from ..engine.classification import Classification
from ..engine.devices import contexts
from ..engine.task import TrainingLoop
from ..engine.trainer import Trainer
from ..search.darts.methods import METHODS, Genotype
from ..utils.seed import seed_all
from .lone_norms import LoneNorms


class _Bar(Progress):
    """Without a line for each epoch."""

    def epoch_end(self, trainer: TrainingLoop, record: dict) -> None:
        """Close the bar."""
        self.stop(trainer)


def retrain(
    config: AttDartsConfig | AnasConfig, genotype: Genotype, backend: Backend, seed: int, warned: bool = True
) -> float:
    """Train a genotype's network from scratch for `retrain_epochs` epochs.

    It trains on the images that the search's weights learned from and is evaluated on the others, without drop-path
    and without an auxiliary head.

    Args:
        config: the search's `AttDartsConfig` or `AnasConfig`.
        genotype: what the search derived.
        backend: the processes of the run.
        seed: of the training.
        warned: whether the user has been warned already of what `LoneNorms` warns of.

    Returns:
        The best validation accuracy, from 0 to 1.
    """
    devices = contexts(config.train.gpus, config.train.num_gpus, backend)
    data, _ = build_search(config.data, seed, config.search.train_portion, len(devices), backend.rank, backend.size)
    train = config.train.replace(num_epochs=config.search.retrain_epochs, seed=seed)
    seed_all(seed)
    net = METHODS[config.kind](config).network(genotype, data.classes, data.input_shape[1])
    net.initialize(mx.init.MSRAPrelu(), ctx=devices)
    run = RunConfig(data=config.data, optim=config.optim, train=train)
    callbacks: list[Callback] = [] if backend.rank else [_Bar(train.log_interval)]
    if not (warned or backend.rank):
        callbacks.append(LoneNorms(net, data, devices, run, backend))
    trainer = Trainer(net, Classification(), run, devices, data.train, data.val, callbacks, backend)
    return trainer.task.score.of(trainer.fit())
