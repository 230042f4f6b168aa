"""A network computed by changed graphs on its own weights: in mixed precision, or with copies between layouts."""

import warnings
from collections.abc import Callable
from typing import Any

import mxnet as mx
from mxnet import autograd
from mxnet.gluon import Block, HybridBlock, SymbolBlock

from ..nn.layers import graph_version
from ..nn.symbol_graph import VARIABLE, SymbolGraph, grouped


class GraphForm(Block):
    """What computes like a network, by a changed form of its graph, on the same weights.

    It follows the network: in training it has the graph of training, such as one with an auxiliary head, and what
    `set_drop_path` changes is traced anew, as is one whose parameters begin or cease to be trained.

    Args:
        net: the network, initialized.
        change: a graph of the network -> the graph that is computed.

    Attributes:
        changes: whether that is another graph.
    """

    changes: bool

    def __init__(self, net: HybridBlock, change: Callable[[mx.sym.Symbol], mx.sym.Symbol]) -> None:
        super().__init__()
        self._traced = net, change  # a tuple, so that the network is no child whose weights would be listed twice
        self._options: dict[str, Any] | None = None
        self._trace()

    def _trace(self) -> None:
        net, change = self._traced
        params = net.collect_params()
        self._followed = list(params.values())
        self._version = self._version_now()
        with autograd.predict_mode():
            inputs, graph = traced(net)
        with autograd.train_mode():
            training = traced(net)[1]
        computed = change(graph)
        self.changes = computed is not graph
        self._evaluation = _as_block(computed, inputs, params)
        self._training = self._evaluation
        if _structure(training) != _structure(graph):
            self._training = _as_block(change(training), inputs, params)
        if self._options is not None:
            self.hybridize(**self._options)

    def _version_now(self) -> tuple[int, list[str]]:
        return graph_version(self._traced[0]), [param.grad_req for param in self._followed]

    def hybridize(self, active: bool = True, **kwargs: Any) -> None:
        """Compiles its graphs.

        Args:
            active: False for imperative execution.
            kwargs: of Gluon's `hybridize`.
        """
        self._options = {"active": active, **kwargs}
        self._training.hybridize(**self._options)
        self._evaluation.hybridize(**self._options)

    def forward(self, *args: Any) -> Any:
        """What the network returns, in the mode (training or not) of the call.

        Args:
            args: the network's inputs.
        """
        if self._version != self._version_now():
            self._trace()
        return (self._training if autograd.is_training() else self._evaluation)(*args)


def traced(net: HybridBlock) -> tuple[list[mx.sym.Symbol], mx.sym.Symbol]:
    """The inputs of a network and its graph, in the mode (training or not) of the call.

    Args:
        net: the network; several inputs have their names as `net.inputs`.
    """
    inputs = [mx.sym.var(name) for name in getattr(net, "inputs", ("data",))]
    return inputs, grouped(net(*inputs))


def _structure(symbol: mx.sym.Symbol) -> tuple[list, list]:
    """What a graph computes: operators with what they read, and outputs; operators' own names do not matter."""
    plain = SymbolGraph.read(symbol).to_dict()
    for node in plain["nodes"]:
        if node["op"] != VARIABLE:
            del node["name"]
    return plain["nodes"], plain["heads"]


def _as_block(graph: mx.sym.Symbol, inputs: list[mx.sym.Symbol], params: mx.gluon.ParameterDict) -> SymbolBlock:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Cannot decide type")  # of the inputs, which come as float32
        return SymbolBlock(graph, inputs, params=params)
