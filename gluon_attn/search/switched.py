"""A stage whose blocks are connected to one attention or not, as a string of bits says.

Each block is compiled twice, with the attention and without, and the bits choose between calls: no scheme is traced
anew and what is not connected costs nothing.
"""

from types import SimpleNamespace

import mxnet as mx
from mxnet.gluon import HybridBlock, ParameterDict

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


class Switched(Stage):
    """A stage, of which `bits` says what blocks are connected; it takes over the blocks of a `Stage`.

    around: None, or a function (the stage as a function, x) -> output that is called in its place.
    """

    around = None

    def __init__(self, stage):
        super().__init__(prefix=stage.prefix)
        for name, block in stage._children.items():
            self.register_child(block, name)
        blocks = [block for block in self._children.values() if isinstance(block, Residual)]
        shared = blocks[0].post if blocks else None
        if shared is None or any(block.post is not shared for block in blocks):
            raise UserError("a supernet's blocks share one attention a stage: give a plan with shared=True, no scheme")
        # no children: parameters and their names are those of the blocks that they stand for
        self._parts = SimpleNamespace(attention=shared, bare=tuple(Bare(block) for block in blocks))
        self.bits = "1" * len(blocks)

    def hybridize(self, active=True, **options):
        """Compile each block, and each without its attention."""
        for block in (*self._parts.bare, *self._children.values()):  # the latter are children of the former, too
            block.hybridize(active, **options)

    def forward(self, x):
        """N,C,H,W as the plain stage; what the attention carries goes from one connected block to the next."""
        return self._run(x) if self.around is None else self.around(self._run, x)

    def _run(self, x):
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
