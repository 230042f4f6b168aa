"""The network of EAN's search: one attention a stage, and blocks that are connected to it or not, anew at each step.

The weights are those of the plain network. `switched` says how a scheme is changed without tracing anew.
"""

from types import SimpleNamespace

import mxnet as mx
import numpy as np
from mxnet import autograd
from mxnet.gluon import Block

from ...models.build import build
from ...models.factory import get_model, model_info
from ...models.plan import Plan
from ...models.scheme import by_stage
from ...models.slots import Stage
from ...utils.errors import UserError
from .switchable_stage import Switched


class Supernet(Block):
    """A network with every scheme of connections, N,3,H,W -> N,classes.

    net: a network whose blocks share one attention a stage; it is changed. In training each call draws a scheme from
    NumPy's global stream, each of them equally likely, unless `drawing` is False; to average the gradients of several
    accumulate batches. Otherwise `scheme` counts, which is all zeros at first, as EAN's authors test.
    Parameters have the plain network's names.
    """

    def __init__(self, net):
        super().__init__(prefix="")
        self.net, self.drawing = net, True
        self._parts = SimpleNamespace(stages=tuple(_switch(net)))  # no children: they stand in the network
        if not self._parts.stages:
            raise UserError("this network has no stages of residual blocks: a supernet needs a ResNet")
        self.blocks = tuple(len(stage.bits) for stage in self._parts.stages)
        self.scheme = "0" * sum(self.blocks)

    @property
    def scheme(self):
        """A 0 or 1 for each block; one of another length is a `UserError`."""
        return "".join(stage.bits for stage in self._parts.stages)

    @scheme.setter
    def scheme(self, bits):
        for stage, part in zip(self._parts.stages, by_stage(bits, self.blocks), strict=True):
            stage.bits = part

    def forward(self, x):
        if not isinstance(x, mx.nd.NDArray):
            raise UserError("a supernet has a graph for each scheme: train it in float32, export a network of a scheme")
        if not (self.drawing and autograd.is_training()):
            out = self.net(x)
        else:
            tested, self.scheme = self.scheme, "".join(map(str, np.random.randint(0, 2, sum(self.blocks))))
            out = self.net(x)
            with autograd.pause():
                for stage in self._parts.stages:
                    stage.rest()
            self.scheme = tested
        return out

    def hybridize(self, active=True, static_alloc=False, static_shape=False, **options):
        """Compile the parts between which a scheme chooses; the network itself stays as it is.

        Never with static memory: MXNet then keeps an old gradient of a parameter that several graphs share.
        """
        _hybridize(self.net, active, options)

    def compile_for_evaluation(self, fused):
        """Compile for evaluation alone, with static memory; fused: with oneDNN's joined operators, on a CPU."""
        options = {"static_alloc": True, "static_shape": True}
        _hybridize(self.net, True, {**options, "backend": "MKLDNN"} if fused else options)

    @property
    def stages(self):
        """Its `Switched` stages."""
        return self._parts.stages

    @property
    def recipe(self):
        """The network's, as `get_model` made it: of all blocks connected."""
        return self.net.recipe

    def _collect_params_with_prefix(self, prefix=""):
        return self.net._collect_params_with_prefix(prefix)


def _switch(parent):
    """Put a `Switched` in place of each `Stage` below a block, and yield it."""
    for name, child in list(parent._children.items()):
        if not isinstance(child, Stage):
            yield from _switch(child)
            continue
        switched = Switched(child)
        if name in vars(parent):
            setattr(parent, name, switched)
        parent._children[name] = switched
        yield switched


def _hybridize(block, active, options):
    if isinstance(block, Switched) or not _switches(block):
        block.hybridize(active, **options)
    else:
        for child in block._children.values():
            _hybridize(child, active, options)


def _switches(block):
    return isinstance(block, Switched) or any(_switches(child) for child in block._children.values())


def build_supernet(config, classes, input_size=None):
    """The uninitialized `Supernet` of a `ModelConfig`, whose attention is shared; otherwise as `models.build.build`."""
    if not (config.attention or model_info(config.model).own_plan):
        raise UserError("a supernet needs an --attention to share, or a network such as dia_fbresnet50")
    return Supernet(build(config.replace(shared=True) if config.attention else config, classes, input_size))


def make_supernet(name, classes, attention=None, attention_options=None, **options):
    """An uninitialized `Supernet`.

    name: a backbone, with the `attention` that it is to share, or a network such as dia_fbresnet50. options: the
    network's own, as `get_model` takes them.
    """
    if model_info(name).own_plan:
        if attention is not None:
            raise UserError(f"model {name!r} has its attention in its name; take a plain backbone for another")
        return Supernet(get_model(name, classes, **options))
    if attention is None:
        raise UserError(f"a supernet of {name} needs an attention to share, such as sge")
    plan = Plan([{"slot": "post", "name": attention, "shared": True, "options": attention_options or {}}])
    return Supernet(get_model(name, classes, plan=plan, **options))
