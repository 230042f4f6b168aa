"""The optimizer of a run, and Gluon's trainer that applies it."""

import inspect
import itertools
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

import mxnet as mx
from mxnet import gluon
from mxnet.gluon import HybridBlock, Parameter

from ..config.base import nearest
from ..config.optim import OptimConfig
from ..utils.errors import UserError
from .arrays import AT_ONCE, clip_norm
from .backend import Backend
from .layer_decay import decay_layers
from .optimizers import AdamW, RMSPropTF

#: lbsgd keeps past gradients outside its state, dcasgd fails with momentum in MXNet 1.9.1, sgld at learning rate 0,
#: groupadagrad takes matrices only, ccsgd is an old name of sgd, test is MXNet's own
_UNUSABLE = {"lbsgd", "dcasgd", "sgld", "groupadagrad", "ccsgd", "test"}
#: their steps are not in proportion to the learning rate
_OWN_RATE = {"adadelta", "ftrl"}
_LARGE = 1 << 16  # numbers in a weight
_NO_DECAY = re.compile(r"(beta|gamma|bias)$")


class SGD(mx.optimizer.SGD):
    """MXNet's SGD in few calls: one for weights of about one size, and on a CPU one for each large float32 weight.

    Its operator for several weights goes through all of them for each number of the largest.
    """

    def __init__(self, momentum: float = 0.0, **options: Any) -> None:
        super().__init__(momentum=momentum, **options)
        self.aggregate_num = sys.maxsize  # all come to `_update_impl`

    def _update_impl(self, indices, weights, grads, states, multi_precision=False):
        groups = indices, weights, grads, states
        rows = list(zip(*groups, strict=True)) if isinstance(indices, list | tuple) else [groups]
        alone = [row for row in rows if not multi_precision and self._is_large(row[1])]
        for index, weight, grad, state in alone:
            self._update_count(index)
            options = {"lr": self._get_lr(index), "wd": self._get_wd(index), "rescale_grad": self.rescale_grad}
            options["clip_gradient"] = self.clip_gradient or -1.0  # below 0: none
            if state is None:
                mx.nd.sgd_update(weight, grad, out=weight, **options)
            else:
                mx.nd.sgd_mom_update(weight, grad, state, out=weight, momentum=self.momentum, **options)
        taken = {row[0] for row in alone}
        rest = sorted((row for row in rows if row[0] not in taken), key=_size_class)
        for _, members in itertools.groupby(rest, key=_size_class):
            alike = list(members)
            for first in range(0, len(alike), AT_ONCE):
                part = zip(*alike[first : first + AT_ONCE], strict=True)
                super()._update_impl(*map(list, part), multi_precision)

    def _is_large(self, weight):
        return weight.size >= _LARGE and weight.context.device_type == "cpu"


def _size_class(row):
    return row[1].size.bit_length()


class NAG(mx.optimizer.NAG):
    """MXNet's Nesterov momentum, whose update reads the weights after it has written them.

    In 1.9.1 the weight decay in the momentum then comes from the new weights; but from the old ones, as it should,
    after an evaluation that let oneDNN reorder the weights, which is a matter of timing. Reading from a copy is
    right, and the same each time. The float32 originals of float16 weights are updated alike.
    """

    def _update_impl(self, index, weight, grad, state, multi_precision=False):
        momentum, exact = state if multi_precision else (state, weight)
        if momentum is None:
            super()._update_impl(index, weight, grad, state, multi_precision)
            return
        self._update_count(index)
        options = {"lr": self._get_lr(index), "wd": self._get_wd(index), "rescale_grad": self.rescale_grad}
        grad = grad.astype(exact.dtype, copy=False)
        mx.nd.nag_mom_update(exact.copy(), grad, momentum, out=exact, momentum=self.momentum, **options)
        if exact is not weight:
            mx.nd.cast(exact, dtype=weight.dtype, out=weight)


#: name -> optimizer that MXNet has in another form, or not
_OWN = {"sgd": SGD, "nag": NAG, "rmsproptf": RMSPropTF, "adamw": AdamW}


def optimizer_names() -> list[str]:
    """Optimizers that a run can save and resume: MXNet's, and those of `_OWN`."""
    return sorted({*mx.optimizer.Optimizer.opt_registry, *_OWN} - _UNUSABLE)


def make_trainer(
    net: HybridBlock,
    config: OptimConfig,
    schedule: Callable[[int], float],
    backend: Backend | None = None,
    excluded: Iterable[Parameter] = (),
) -> gluon.Trainer:
    """Gluon's trainer over the parameters of a network.

    Parameters go in by structural order, which does not depend on what else the process has built. Updates run in this
    process, so that their state can be saved. float16 parameters have float32 originals in that state.

    Args:
        net: the network.
        config: optimizer, weight decay and the like.
        schedule: number of an update, from 1 -> learning rate.
        backend: the processes of the run (default: this one alone).
        excluded: parameters that the optimizer leaves alone.

    Raises:
        UserError: an unknown optimizer, or an option that this one does not have.
    """
    name = config.optimizer.lower()
    if name not in optimizer_names():
        raise UserError(f"unknown optimizer {config.optimizer!r}{nearest(name, optimizer_names())}")
    optimizer = _OWN.get(name) or mx.optimizer.Optimizer.opt_registry[name]
    accepted = inspect.signature(optimizer).parameters
    options = {"wd": config.wd, "lr_scheduler": schedule, "multi_precision": True}
    if "momentum" in accepted:
        options["momentum"] = 0.9 if config.momentum is None else config.momentum
    elif config.momentum is not None:
        raise UserError(f"optimizer {name} has no momentum: leave option momentum out")
    if config.epsilon is not None:
        if "epsilon" not in accepted:
            raise UserError(f"optimizer {name} has no epsilon: leave option epsilon out")
        options["epsilon"] = config.epsilon
    params = list({id(p): p for p in net._collect_params_with_prefix().values()}.values())
    others = set(map(id, excluded))
    params = [param for param in params if id(param) not in others]
    for param in params:
        if config.no_wd and _NO_DECAY.search(param.name):
            param.wd_mult = 0.0
    if config.layer_decay is not None:
        if name in _OWN_RATE:
            raise UserError(f"the steps of {name} do not follow the learning rate: leave option layer_decay out")
        decay_layers(net, config.layer_decay)
    options["learning_rate"] = config.lr
    return (backend or Backend()).make_trainer(params, optimizer(**options), config)


def clip_gradients(trainer: gluon.Trainer, largest: float, extra: Iterable[Parameter] = ()) -> None:
    """Scale the summed gradients of every device so that their common norm, in float32, is at most `largest`.

    Args:
        trainer: whose parameters' gradients are scaled.
        largest: the norm.
        extra: further parameters whose gradients count, and are scaled.
    """
    params = [p for p in (*trainer._params, *extra) if p.grad_req != "null"]
    for device in range(len(trainer._contexts)):
        grads = [p.list_grad()[device] for p in params]
        wide = [grad.astype("float32", copy=False) for grad in grads]
        clip_norm(wide, largest)
        for grad, clipped in zip(grads, wide, strict=True):
            if clipped is not grad:
                mx.nd.cast(clipped, dtype=grad.dtype, out=grad)
