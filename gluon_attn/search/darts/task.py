"""Gradient searches as a task: architecture parameters (alphas) are updated before the weights are."""

import contextlib
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock
from mxnet.gluon.loss import SoftmaxCrossEntropyLoss

from ...checkpoint import optimizer_state, set_optimizer_state
from ...engine.classification import Classification
from ...engine.optim import clip_gradients
from ...engine.task import TrainingLoop
from ...nn.layers import set_drop_path
from ...nn.params import read_tensors
from .architect import Architect, arch_adam, momentum_buffers, set_gradients
from .derive import SKIP, entropies
from .mixed_op import DroppedSkip

_ARCH = "arch.params"
_DROPOUT_DECAY = 0.19  # per epoch, of the dropout on skip connections, in ANAS and P-DARTS

#: alphas by name -> (genotype, edges (operation, input, ...) whose skip connections count)
Derive = Callable[[dict[str, np.ndarray]], tuple[Any, Sequence[Sequence[Any]]]]


class SearchTask(Classification):
    """Classification by a supernet, whose alphas learn from images of their own before each step of the weights.

    With several processes each makes its own virtual step, and the gradients of the alphas are averaged.

    Args:
        net: the supernet, with `arch_parameters()`.
        config: an `AttDartsConfig` or `AnasConfig`.
        derive: derives a genotype from alphas.
        alpha_loader: the images that the alphas learn from; it starts again if an epoch needs more of them.

    Attributes:
        alphas: name -> architecture parameter.
        architect: computes their gradients, from `prepare` on.
        arch_trainer: their Gluon trainer, from `prepare` on.
    """

    architect: Architect
    arch_trainer: mx.gluon.Trainer
    _alpha_batches: Generator[tuple, None, None]  # of the current epoch

    def __init__(self, net: HybridBlock, config: Any, derive: Derive, alpha_loader: Any) -> None:
        super().__init__()
        self.config, self.alphas, self._derive = config, net.arch_parameters(), derive
        self._alpha_loader = alpha_loader

    def prepare(self, trainer: TrainingLoop) -> None:
        """See `Task.prepare`: makes the architect and the optimizer of the alphas."""
        optim, search = self.config.optim, self.config.search
        params = [self.alphas[name] for name in sorted(self.alphas)]
        momentum = 0.9 if optim.momentum is None else optim.momentum
        self.architect = Architect(
            trainer.net, SoftmaxCrossEntropyLoss(), momentum=momentum, weight_decay=optim.wd,
            variant=self.config.variant, forward=trainer.forward,
        )  # fmt: skip
        optimizer = arch_adam(search.arch_lr, search.arch_wd)
        self.arch_trainer = trainer.backend.make_trainer(params, optimizer, optim, "architecture")
        if self.config.variant == "reference":
            trainer.update.extra_clip_params = params

    def alpha_values(self) -> dict[str, np.ndarray]:
        """Name -> alphas as they are now."""
        return {name: param.data().asnumpy() for name, param in self.alphas.items()}

    def derived(self) -> tuple[Any, Sequence[Sequence[Any]]]:
        """(genotype, edges whose skip connections count) of the alphas as they are now."""
        return self._derive(self.alpha_values())

    def derived_record(self) -> dict:
        """Entries of an epoch's record, JSON data.

        Returns:
            `entropy`: mean entropy in nats of the softmaxes over the candidate operations; `skips`: number of skip
            connections in the derived genotype; `genotype`: that genotype; `mixing`: the alphas, name -> nested lists.
        """
        alphas = self.alpha_values()
        genotype, edges = self._derive(alphas)
        parts = entropies(alphas)
        return {
            "entropy": sum(parts.values()) / len(parts),
            "skips": sum(edge[0] == SKIP for edge in edges),
            "genotype": genotype.to_dict(),
            "mixing": {name: values.tolist() for name, values in alphas.items()},
        }

    def epoch_record(self, trainer: TrainingLoop) -> dict:
        """See `Task.epoch_record`."""
        return self.derived_record()

    @contextlib.contextmanager
    def epoch(self, trainer: TrainingLoop) -> Iterator[None]:
        """See `Task.epoch`: sets the dropout on skip connections, and starts the loader of the alphas."""
        if self.config.search.dropout_rate:
            rate = self.config.search.dropout_rate * math.exp(-_DROPOUT_DECAY * trainer.epoch)
            set_drop_path(trainer.net, rate, DroppedSkip)
        with contextlib.closing(self._endless(trainer.epoch)) as self._alpha_batches:
            yield

    def _endless(self, epoch: int) -> Generator[tuple, None, None]:
        while True:
            yield from self._alpha_loader.epoch(epoch)

    def start_step(self, trainer: TrainingLoop, batch: tuple) -> None:
        """See `Task.start_step`: one update of the alphas, once their warm-up is over.

        The gradients are those of the mean loss over the images of all processes.

        Args:
            trainer: the trainer of the weights.
            batch: (images, labels) for the weights; the alphas take the next batch of their own loader.
        """
        search = self.config.search
        if trainer.epoch < search.arch_warmup:
            return
        device, backend = trainer.contexts[0], trainer.backend
        train, valid = (tuple(x.as_in_context(device) for x in each) for each in (batch, next(self._alpha_batches)))
        if search.unrolled:
            eta, momenta = trainer.gluon_trainer.learning_rate, momentum_buffers(trainer.gluon_trainer)
            gradients = self.architect.second_order(train, valid, eta, momenta)
        else:
            gradients = self.architect.first_order(*valid)
        set_gradients(self.alphas, gradients)
        self.arch_trainer.allreduce_grads()
        if search.arch_clip is not None:
            clip_gradients(self.arch_trainer, search.arch_clip * backend.size)
        self.arch_trainer.update(backend.size)

    def state(self, trainer: TrainingLoop) -> tuple[dict, dict]:
        """See `Task.state`: the optimizer state of the alphas."""
        arrays, numbers = optimizer_state(trainer.net, self.arch_trainer)
        return {"arch_optimizer": numbers}, {_ARCH: arrays}

    def load_state(self, trainer: TrainingLoop, folder: Path, meta: dict) -> None:
        """See `Task.load_state`."""
        arrays = read_tensors(folder / _ARCH)
        set_optimizer_state(trainer.net, self.arch_trainer, arrays, meta["arch_optimizer"])
