"""Trace a network so that every operator of its graph carries the path of the block that it belongs to."""

import contextlib
from collections.abc import Sequence
from typing import Any

import mxnet as mx

from ..nn import fast
from ..nn.symbol_graph import grouped

INPUT = "data"
#: attribute of an operator: names of the blocks around it, outermost first, joined by "/"
PATH = "__path__"


def trace_with_paths(
    net: mx.gluon.HybridBlock,
    parameters: mx.gluon.ParameterDict,
    mark: type | tuple[type, ...],
    inputs: Sequence[str] = (INPUT,),
) -> tuple[mx.sym.Symbol, set[tuple[str, ...]]]:
    """Trace a network with plain operators, so that no helper of a fast formulation counts as work.

    Args:
        net: The network, initialized or not.
        parameters: Its parameters.
        mark: Classes of blocks whose paths are wanted.
        inputs: Names of what the network takes.

    Returns:
        (symbol whose operators have the path of their block in the attribute `PATH`, paths of the marked blocks).
    """
    for parameter in parameters.values():
        parameter.var()  # created and cached here: inside a block it would get the path of that block
    handles: list[Any] = []
    open_scopes: list[Any] = []
    marked: set[tuple[str, ...]] = set()

    def visit(block: mx.gluon.Block, path: tuple[str, ...], seen: set[int]) -> None:
        if id(block) in seen:
            return
        seen.add(id(block))
        if isinstance(block, mark):
            marked.add(path)

        def enter(*_: Any) -> None:
            scope = mx.AttrScope(**{PATH: "/".join(path)})
            scope.__enter__()
            open_scopes.append(scope)

        def leave(*_: Any) -> None:
            open_scopes.pop().__exit__(None, None, None)

        handles.extend((block.register_forward_pre_hook(enter), block.register_forward_hook(leave)))
        for name, child in block._children.items():
            visit(child, (*path, name), seen)

    visit(net, (), set())
    try:
        with fast.plain_operators():
            return grouped(net(*map(mx.sym.var, inputs))), marked
    finally:
        with contextlib.ExitStack() as stack:
            for handle in handles:
                stack.callback(handle.detach)
        while open_scopes:
            open_scopes.pop().__exit__(None, None, None)
