"""Searches by gradients: the training loop, in which mixing weights move before the weights do."""

import contextlib
import math

import mxnet as mx
from mxnet.gluon.loss import SoftmaxCrossEntropyLoss

from ...checkpoint import optimizer_state, set_optimizer_state
from ...engine.optim import clip_gradients
from ...engine.trainer import Trainer
from ...nn.drop_path import set_drop_path
from ...utils.errors import UserError
from ...utils.log import get_logger
from .architect import Architect, arch_adam, momentum_buffers, set_gradients
from .derive import SKIP, entropies
from .mixed_op import DroppedSkip

_ARCH = "arch.params"
_FALL = 0.19  # of the dropout on skip connections, in ANAS and P-DARTS


class SearchTrainer(Trainer):
    """A `Trainer` of a supernet that moves its mixing weights, too, on images of their own.

    net: with `arch_parameters()`. config: an `AttDartsConfig` or `AnasConfig`. derive: weights {name: array} ->
    (genotype, edges (operation, input ...) whose skip connections count). search: the loader of the images that the
    mixing weights learn from; it is gone through again where it is shorter. The others as of `Trainer`. One device a
    process; with several, each takes its own virtual steps and the gradients are averaged.

    A record of `history` also has `entropy` (mean over all choices, in nats), `skips`, `genotype` and `mixing`, the
    mixing weights.
    """

    def __init__(self, net, config, derive, contexts, train, search, val, callbacks=(), backend=None):
        if len(contexts) > 1:
            raise UserError(
                f"a search takes one device a process, got {len(contexts)}: start one for each, with horovodrun"
            )
        self.arch = net.arch_parameters()
        super().__init__(net, config, contexts, train, val, callbacks, backend, apart=self.arch.values())
        self._search_loader, self._derive, self._search_batches = search, derive, None
        self.architect = Architect(
            net, SoftmaxCrossEntropyLoss(), momentum=0.9 if config.optim.momentum is None else config.optim.momentum,
            weight_decay=config.optim.wd, variant=config.variant,
        )  # fmt: skip
        optimizer = arch_adam(config.search.arch_lr, config.search.arch_wd)
        params = [self.arch[name] for name in sorted(self.arch)]
        self.arch_optimizer = self.backend.make_trainer(params, optimizer, config.optim, "architecture")
        if config.variant == "reference":
            self.update.beside = params

    def mixing(self):
        """Name -> mixing weights, as a NumPy array."""
        return {name: param.data().asnumpy() for name, param in self.arch.items()}

    def derived(self):
        """(genotype, edges whose skip connections count) by the mixing weights as they are now."""
        return self._derive(self.mixing())

    def found(self):
        """What the mixing weights say now, as `history` has it."""
        weights = self.mixing()
        genotype, edges = self._derive(weights)
        parts = entropies(weights)
        return {
            "entropy": sum(parts.values()) / len(parts),
            "skips": sum(edge[0] == SKIP for edge in edges),
            "genotype": genotype.to_dict(),
            "mixing": {name: values.tolist() for name, values in weights.items()},
        }

    def more_state(self):
        arrays, numbers = optimizer_state(self.net, self.arch_optimizer)
        return {"arch_optimizer": numbers}, {_ARCH: arrays}

    def resume(self, folder, meta):
        super().resume(folder, meta)
        set_optimizer_state(self.net, self.arch_optimizer, mx.nd.load(str(folder / _ARCH)), meta["arch_optimizer"])

    def _stale(self):
        search = self.config.search
        if not self.history:
            return False
        if search.stop_skips is not None and self.history[-1]["skips"] >= search.stop_skips:
            get_logger().info("%d skip connections would be chosen: stopped early", self.history[-1]["skips"])
            return True
        last = [record["genotype"] for record in self.history[-(search.stop_stable or 0) - 1 :]]
        if search.stop_stable and len(last) > search.stop_stable and all(g == last[-1] for g in last):
            get_logger().info("%d epochs have chosen the same: stopped early", search.stop_stable)
            return True
        return False

    def _run_epoch(self):
        if self.config.search.dropout_rate:
            rate = self.config.search.dropout_rate * math.exp(-_FALL * self.epoch)
            set_drop_path(self.net, rate, DroppedSkip)
        with self.searching():
            record = super()._run_epoch()
        return {**record, **self.found()}

    @contextlib.contextmanager
    def searching(self):
        """A context in which the mixing weights have images to learn from."""
        with contextlib.closing(self._endless()) as self._search_batches:
            yield

    def _endless(self):
        while True:
            yield from self._search_loader.epoch(self.epoch)

    def _forward_backward(self, data, label):
        if self.epoch >= self.config.search.arch_warmup:
            self._move_mixing(data, label)
        return super()._forward_backward(data, label)

    def _move_mixing(self, data, label):
        """A step of the mixing weights, by gradients of means over the images."""
        device = self.contexts[0]
        train, valid = (
            tuple(x.as_in_context(device) for x in batch) for batch in ((data, label), next(self._search_batches))
        )
        if self.config.search.unrolled:
            eta, momenta = self.optimizer.learning_rate, momentum_buffers(self.optimizer)
            gradients = self.architect.second_order(train, valid, eta, momenta)
        else:
            gradients = self.architect.first_order(*valid)
        set_gradients(self.arch, gradients)
        self.arch_optimizer.allreduce_grads()
        if self.config.search.arch_clip is not None:
            clip_gradients(self.arch_optimizer, self.config.search.arch_clip * self.backend.size)
        self.arch_optimizer.update(self.backend.size)
