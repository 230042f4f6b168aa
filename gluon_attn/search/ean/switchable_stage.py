"""A stage whose blocks are connected to one attention or not, as a string of bits says.

Each block is compiled twice, with the attention and without, and the bits choose between calls: no scheme is traced
anew and what is not connected costs nothing.
"""

from types import SimpleNamespace

import mxnet as mx
from mxnet.gluon import HybridBlock, ParameterDict

from ...models.slots import Residual, Stage
from ...utils.errors import UserError


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

    around: None, or a function (`run`, x) -> output that is called in its place.
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
        return self.run(x) if self.around is None else self.around(self.run, x)

    def run(self, x, state=(), first=0, after=None):
        """The output from block `first` on, which counts from 0, for its input and what is carried to it.

        after: called behind each block with its number, its output and what it carries on.
        """
        number = 0
        for block in self._children.values():
            if not isinstance(block, Residual):
                x = block(x)
                continue
            if number >= first:
                x, state = self._pass(number, block, x, state)
                if after:
                    after(number, x, state)
            number += 1
        return x

    def _pass(self, number, block, x, state):
        """(output, what is carried on) of a block."""
        if self.bits[number] == "0":
            return self._parts.bare[number](x), state
        if not getattr(block, "states", 0):
            return block(x), state
        x, *state = block(x, *(state or self._begin(x)))  # given from the first one on, so that there is one graph
        return x, state

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
