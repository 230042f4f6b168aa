"""The network of EAN's search: one attention a stage, and blocks that are connected to it or not, anew at each step.

Each block is compiled twice, with the attention and without, and the scheme chooses between calls: no scheme is traced
anew and what is not connected costs nothing. The weights are those of the plain network.
"""

from dataclasses import dataclass

import mxnet as mx
import numpy as np
from mxnet import autograd
from mxnet.gluon import Block, HybridBlock, ParameterDict

from ..models.factory import get_model, model_info
from ..models.plan import Plan
from ..models.scheme import by_stage
from ..models.site import Residual, Stage
from ..utils.errors import UserError


class Bare(HybridBlock):
    """A `Residual` block without its attention, on the same weights."""

    def __init__(self, block):
        super().__init__(prefix="")
        self.block = block

    def hybrid_forward(self, F, x):
        with self.block.disconnected():
            return self.block(x)

    def collect_params(self, select=None):
        """The block's without the attention's, which would be reported as unused."""
        found, unused = self.block.collect_params(select), self.block.post.collect_params()
        kept = ParameterDict(found.prefix)
        kept.update({name: param for name, param in found.items() if name not in unused})
        return kept


@dataclass
class _Parts:
    """Blocks that are no children: parameters and their names are those of the blocks that they stand for."""

    attention: object = None
    bare: tuple = ()
    stages: tuple = ()


class Switched(Stage):
    """A stage, of which `bits` says what blocks are connected; it takes over the blocks of a `Stage`."""

    def __init__(self, stage):
        super().__init__(prefix=stage.prefix)
        for name, block in stage._children.items():
            self.register_child(block, name)
        blocks = [block for block in self._children.values() if isinstance(block, Residual)]
        shared = blocks[0].post if blocks else None
        if shared is None or any(block.post is not shared for block in blocks):
            raise UserError("a supernet's blocks share one attention a stage: give a plan with shared=True, no scheme")
        self._parts = _Parts(shared, tuple(Bare(block) for block in blocks))
        self.bits = "1" * len(blocks)

    def hybridize(self, active=True, **options):
        """Compile each block, and each without its attention."""
        for block in (*self._children.values(), *self._parts.bare):
            block.hybridize(active, **options)

    def forward(self, x):
        """N,C,H,W as the plain stage; what the attention carries goes from one connected block to the next."""
        places, state = iter(zip(self.bits, self._parts.bare, strict=True)), None
        for block in self._children.values():
            connected, bare = next(places) if isinstance(block, Residual) else ("1", None)
            if connected == "0":
                x = bare(x)
            elif not getattr(block, "states", 0):
                x = block(x)
            else:  # given from the first one on, so that there is one graph for all
                x, *state = block(x, *(state or self._begin(x)))
        return x

    def _begin(self, x):
        one = mx.nd.zeros((x.shape[0], self._parts.attention._channels, 1, 1), ctx=x.context, dtype=x.dtype)
        return self._parts.attention.begin_state(mx.nd, one)

    def rest(self):
        """Give the attention gradients of zero where no block is connected: the next update expects some."""
        if "1" in self.bits:
            return
        for param in self._parts.attention.collect_params().values():
            if param.grad_req != "null":
                for data, grad in zip(param.list_data(), param.list_grad(), strict=True):
                    grad[:] = 0
                    data._fresh_grad = True


class Supernet(Block):
    """A network with every scheme of connections, N,3,H,W -> N,classes.

    net: a network whose blocks share one attention a stage; it is changed. In training each call draws a scheme from
    NumPy's global stream, each of them equally likely, unless `drawing` is False; to average the gradients of several
    accumulate batches. Otherwise `scheme` counts, which is all zeros at first, as EAN's authors test.
    Parameters have the plain network's names.
    """

    def __init__(self, net):
        super().__init__(prefix="")
        self.net, self.drawing, self._parts = net, True, _Parts(stages=tuple(_switch(net)))
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
        if not set(bits) <= {"0", "1"}:
            raise UserError(f"a scheme must be zeros and ones, one a block, got {bits!r}")
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
