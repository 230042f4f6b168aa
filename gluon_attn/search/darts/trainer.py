"""The trainer of a gradient search."""

from collections.abc import Iterable, Sequence
from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock

from ...engine.backend import Backend
from ...engine.callbacks import Callback
from ...engine.trainer import Trainer
from ...utils.errors import UserError
from .callbacks import early_stopping
from .task import Derive, SearchTask


class SearchTrainer(Trainer):
    """The trainer of a gradient search: a `Trainer` with a `SearchTask`, whose alphas the optimizer leaves alone.

    Args:
        net, config, derive: as of `SearchTask`.
        contexts: one device.
        train: the images that the weights learn from.
        search: the images that the alphas learn from.
        val: the images to evaluate on.
        callbacks, backend: as of `Trainer`; early stopping is added if the options have it.

    Raises:
        UserError: there is more than one device in this process.
    """

    task: SearchTask

    def __init__(
        self,
        net: HybridBlock,
        config: Any,
        derive: Derive,
        contexts: Sequence[mx.Context],
        train: Any,
        search: Any,
        val: Any,
        callbacks: Iterable[Callback] = (),
        backend: Backend | None = None,
    ) -> None:
        if len(contexts) > 1:
            raise UserError(
                f"a search takes one device per process, got {len(contexts)}: start one process for each, with "
                "horovodrun"
            )
        task = SearchTask(net, config, derive, search)
        callbacks = [*callbacks, *early_stopping(config.search)]
        excluded = task.alphas.values()
        super().__init__(net, task, config, contexts, train, val, callbacks, backend, excluded)
