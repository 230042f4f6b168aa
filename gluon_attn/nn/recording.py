"""Record the gates of a network while it runs: what the gating functions of `nn/gates.py` multiply by, and where."""

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import mxnet as mx
import numpy as np

from .tracing import Tensor

#: kinds of gates: one factor per channel, per pixel, per element
KINDS = CHANNEL, SPATIAL, ELEMENT = "channel", "spatial", "element"


@dataclass(frozen=True)
class Gate:
    """One call of a gating function, `output = x * values`.

    Attributes:
        kind: "channel", "spatial" or "element".
        x: input of the function, (N,C,H,W). A module that gates groups of channels has them along the first axis:
            (N*groups,C/groups,H,W).
        values: the factors: (N,C,1,1), (N,1,H,W) or (N,C,H,W), with the first axis of `x`.
        output: what the function returned.
        path: names of the blocks around the call, from below the network down to the module, as in parameter names.
        module: the block that applied the gate.
        number: index of the call among those of the same path.
        images: N, of the network.
    """

    kind: str
    x: mx.nd.NDArray
    values: mx.nd.NDArray
    output: mx.nd.NDArray
    path: tuple[str, ...]
    module: mx.gluon.Block
    number: int
    images: int

    def per_image(self) -> np.ndarray:
        """The factors, (N,C,1,1), (N,groups,H,W) or (N,C,H,W), float32."""
        return self.values.asnumpy().astype(np.float32).reshape((self.images, -1, *self.values.shape[2:]))


class _Recorder:
    """Follows which block of a network is at work, and hands each gate to `receive`."""

    def __init__(self, receive: Callable[[Gate], None]) -> None:
        self._receive = receive
        self._stack: list[tuple[mx.gluon.Block, tuple[str, ...]]] = []
        self._counts: dict[tuple[str, ...], int] = {}
        self._images = 0

    def enter(self, block: mx.gluon.Block, inputs: tuple) -> None:
        if not self._stack:
            self._images, self._counts = len(inputs[0]) if isinstance(inputs[0], mx.nd.NDArray) else 0, {}
            self._stack.append((block, ()))
            return
        parent, path = self._stack[-1]
        below = _path_below(parent, block)
        self._stack.append((block, (*path, *((block.name,) if below is None else below))))

    def leave(self, *_: Any) -> None:
        self._stack.pop()

    def gate(self, kind: str, x: mx.nd.NDArray, values: mx.nd.NDArray, output: mx.nd.NDArray) -> None:
        if not self._stack:  # of another network
            return
        module, path = self._stack[-1]
        number = self._counts.get(path, 0)
        self._counts[path] = number + 1
        self._receive(Gate(kind, x, values, output, path, module, number, self._images))


_recorder: contextvars.ContextVar[_Recorder | None] = contextvars.ContextVar("gate_recorder", default=None)


@contextlib.contextmanager
def recording(net: mx.gluon.HybridBlock, receive: Callable[[Gate], None]) -> Iterator[None]:
    """While active, in this thread, each gate of a network is handed on when the network runs.

    Only a network that runs imperatively calls its gating functions, so it is no longer hybridized, now and afterwards.

    Args:
        net: the network; a call of it is one pass.
        receive: called with each `Gate`, in the order of the pass. The arrays are those of the pass: what is kept
            longer keeps their memory.
    """
    net.hybridize(False)
    recorder = _Recorder(receive)
    with hooks(net, recorder.enter, recorder.leave):
        token = _recorder.set(recorder)
        try:
            yield
        finally:
            _recorder.reset(token)


@contextlib.contextmanager
def hooks(
    net: mx.gluon.Block,
    enter: Callable[[mx.gluon.Block, tuple], None] | None,
    leave: Callable[[mx.gluon.Block, tuple, Any], None],
) -> Iterator[None]:
    """While active, each block in a network that runs imperatively says so, also one that several parents share.

    Args:
        net: the network.
        enter: called with (block, inputs) before a block runs, or None.
        leave: called with (block, inputs, output) afterwards.
    """
    blocks: dict[int, mx.gluon.Block] = {}
    net.apply(lambda block: blocks.setdefault(id(block), block))
    with contextlib.ExitStack() as stack:
        for block in blocks.values():
            if enter:
                stack.callback(block.register_forward_pre_hook(enter).detach)
            stack.callback(block.register_forward_hook(leave).detach)
        yield


def recorded(kind: str, x: Tensor, output: Tensor, values: Callable[[], Tensor]) -> Tensor:
    """Report a gate to the recorder, if one is at work.

    Args:
        kind: one of `KINDS`.
        x: input of the gating function.
        output: its result.
        values: gives the factors; called only if they are recorded.

    Returns:
        `output` itself.
    """
    recorder = _recorder.get()
    if recorder is not None and isinstance(output, mx.nd.NDArray):  # a graph has no values
        recorder.gate(kind, x, values(), output)
    return output


def _path_below(parent: mx.gluon.Block, block: mx.gluon.Block) -> tuple[str, ...] | None:
    """Names of the children that lead from `parent` to `block`; None if none do."""
    for name, child in parent._children.items():
        if child is block:
            return (name,)
    for name, child in parent._children.items():
        below = _path_below(child, block)
        if below is not None:
            return (name, *below)
    return None
