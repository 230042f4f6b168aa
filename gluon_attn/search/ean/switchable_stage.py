"""A stage of a network in which a scheme switches the attention of each block on and off.

Each block is compiled twice, with attention and without, and the scheme chooses which is called: a new scheme needs no
new graph, and an unconnected block costs nothing.
"""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock, ParameterDict

from ...models.slots import Residual, Stage
from ...utils.errors import UserError

AfterBlock = Callable[[int, mx.nd.NDArray, Sequence[mx.nd.NDArray]], None]


class WithoutAttention(HybridBlock):
    """A `Residual` block without its attention, with the same weights.

    Args:
        block: the `Residual` block.
    """

    def __init__(self, block: Residual) -> None:
        super().__init__(prefix="")
        self.block = block

    def hybrid_forward(self, F: Any, x: mx.nd.NDArray) -> mx.nd.NDArray:
        """N,C,H,W -> the output of the block."""
        with self.block.disconnected():
            return self.block(x)

    def collect_params(self, select: str | None = None) -> ParameterDict:
        """The parameters of the block except those of the attention, which MXNet would report as unused.

        Args:
            select: regular expression of names, as in Gluon (default: all).
        """
        attention: Any = self.block.post
        found, unused = self.block.collect_params(select), attention.collect_params()
        kept = ParameterDict(found.prefix)
        kept.update({name: param for name, param in found.items() if name not in unused})
        return kept


class SwitchableStage(Stage):
    """A stage whose blocks share one attention, each connected to it or not.

    Args:
        stage: a `Stage`, whose blocks it takes over.

    Attributes:
        bits: a 0 or 1 for each block: connected to the attention or not.
        override: None, or a function (run, x) -> output that is called instead of `run`.

    Raises:
        UserError: if the blocks do not share one attention.
    """

    bits: str
    _parts: SimpleNamespace
    override: Callable[[Callable[..., mx.nd.NDArray], mx.nd.NDArray], mx.nd.NDArray] | None = None

    def __init__(self, stage: Stage) -> None:
        super().__init__(prefix=stage.prefix)
        for name, block in stage._children.items():
            self.register_child(block, name)
        blocks = [block for block in self._children.values() if isinstance(block, Residual)]
        shared = blocks[0].post if blocks else None
        if shared is None or any(block.post is not shared for block in blocks):
            raise UserError(
                "a supernet's blocks share one attention per stage: give a plan with shared=True, no scheme"
            )
        # not registered as children: their parameters are those of the blocks
        self._parts = SimpleNamespace(attention=shared, without=tuple(WithoutAttention(block) for block in blocks))
        self.bits = "1" * len(blocks)

    def hybridize(self, active: bool = True, **options: Any) -> None:
        """Compiles each block with and without attention.

        Args:
            active: False for imperative execution.
            options: further options of Gluon's `hybridize`.
        """
        for block in (*self._parts.without, *self._children.values()):  # the latter are also children of the former
            block.hybridize(active, **options)

    def forward(self, x: mx.nd.NDArray) -> mx.nd.NDArray:
        """The output of the stage for x (N,C,H,W); a recurrent state goes from one connected block to the next."""
        return self.run(x) if self.override is None else self.override(self.run, x)

    def run(
        self,
        x: mx.nd.NDArray,
        state: Sequence[mx.nd.NDArray] = (),
        first: int = 0,
        after_block: AfterBlock | None = None,
    ) -> mx.nd.NDArray:
        """The output of the stage from block `first` on.

        Args:
            x: input of that block, (N,C,H,W).
            state: recurrent state of the attention at that block, () for none yet.
            first: number of the block, from 0.
            after_block: called after each block with its number, its output and the recurrent state.
        """
        number = 0
        for block in self._children.values():
            if not isinstance(block, Residual):
                x = block(x)
                continue
            if number >= first:
                x, state = self._run_block(number, block, x, state)
                if after_block:
                    after_block(number, x, state)
            number += 1
        return x

    def _run_block(
        self, number: int, block: Residual, x: mx.nd.NDArray, state: Sequence[mx.nd.NDArray]
    ) -> tuple[mx.nd.NDArray, Sequence[mx.nd.NDArray]]:
        """(output, new recurrent state) of a block."""
        if self.bits[number] == "0":
            return self._parts.without[number](x), state
        if not getattr(block, "states", 0):
            return block(x), state
        # the initial state is passed explicitly, so that the first connected block has the same graph as the others
        x, *state = block(x, *(state or self._begin_state(x)))
        return x, state

    def _begin_state(self, x: mx.nd.NDArray) -> Sequence[mx.nd.NDArray]:
        one_pixel = mx.nd.zeros((x.shape[0], self._parts.attention._channels, 1, 1), ctx=x.context, dtype=x.dtype)
        return self._parts.attention.begin_state(mx.nd, one_pixel)

    def zero_unused_gradients(self) -> None:
        """Sets the gradients of the attention to zero if no block is connected: the optimizer expects fresh ones."""
        if "1" in self.bits:
            return
        for param in self._parts.attention.collect_params().values():
            if param.grad_req != "null":
                for data, grad in zip(param.list_data(), param.list_grad(), strict=True):
                    grad[:] = 0
                    data._fresh_grad = True
