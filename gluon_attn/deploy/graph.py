"""A trained network as a plain graph with its tensors: what all export targets are written from."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import mxnet as mx
import numpy as np

from ..config.card import Card
from ..nn import fast
from ..nn.symbol_graph import SymbolGraph, grouped
from ..nn.tracing import single_precision, without_drops
from ..utils.errors import UserError

INPUT, OUTPUT, BATCH = "data", "logits", "N"


@dataclass(frozen=True)
class Port:
    """An input of a graph.

    Attributes:
        name: Its name.
        shape: Its shape for one image, the first axis included.
        free: Axis -> name of its length, of each axis that may have another one.
        dtype: Of its values.
    """

    name: str
    shape: tuple[int, ...]
    free: Mapping[int, str] = field(default_factory=lambda: {0: BATCH})
    dtype: type[np.generic] = np.float32


@dataclass(frozen=True)
class Graph:
    """A network for inference, or a part of one.

    Attributes:
        symbol: The graph.
        args: Its parameters by name, float32 unless a transform says otherwise.
        aux: Its running statistics by name.
        card: `Card` of the network.
        ports: Its inputs; None: one, `data`, images as the card says.
        outputs: Name of each output.
    """

    symbol: mx.sym.Symbol
    args: dict[str, mx.nd.NDArray]
    aux: dict[str, mx.nd.NDArray]
    card: Card
    ports: tuple[Port, ...] | None = None
    outputs: tuple[str, ...] = (OUTPUT,)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Its inputs."""
        if self.ports is not None:
            return self.ports
        first = 1 if self.card.preprocess else 2
        size = {first: "H", first + 1: "W"} if self.card.dynamic else {}
        return (Port(INPUT, (1, *self.input_shape), {0: BATCH, **size}, self.input_dtype),)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of each input, for one image."""
        return {port.name: port.shape for port in self.inputs}

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one image as the graph takes it: C,H,W, or H,W,C with preprocessing."""
        channels, height, width = self.card.input_shape
        return (height, width, channels) if self.card.preprocess else (channels, height, width)

    @property
    def input_dtype(self) -> type[np.generic]:
        """uint8 with preprocessing, else float32."""
        return np.uint8 if self.card.preprocess else np.float32

    @property
    def tensors(self) -> dict[str, mx.nd.NDArray]:
        """Parameters and running statistics by name, in a dict of their own."""
        return {**self.args, **self.aux}

    def edited(self, nodes: SymbolGraph, tensors: dict[str, mx.nd.NDArray]) -> "Graph":
        """The same network with other nodes and tensors.

        Args:
            nodes: The nodes.
            tensors: Parameters and running statistics by name; those that no node reads are left out.
        """
        symbol, inputs = nodes.to_symbol(), self.shapes
        return replace(
            self,
            symbol=symbol,
            args={name: tensors[name] for name in symbol.list_arguments() if name not in inputs},
            aux={name: tensors[name] for name in symbol.list_auxiliary_states()},
        )


def trace(
    net: mx.gluon.HybridBlock,
    card: Card,
    plain: bool = False,
    ports: Sequence[Port] | None = None,
    outputs: Sequence[str] = (OUTPUT,),
) -> Graph:
    """Trace a network for inference in float32 on the CPU. The network itself stays as it is.

    Args:
        net: An initialized network, N,C,H,W -> N,classes, or a part with the inputs and outputs that are named.
        card: Its `Card`; with `card.preprocess` the graph takes N,H,W,C uint8 and normalizes itself.
        plain: Write gates and reductions with plain operators, which other engines fuse best, instead of those that
            train fastest in MXNet.
        ports: The inputs; None: one, images as the card says.
        outputs: Name of each output.

    Raises:
        UserError: The network has other outputs or no weights.
    """
    constants: dict[str, mx.nd.NDArray] = {}
    if ports is not None:
        inputs = [mx.sym.var(port.name) for port in ports]
    elif card.preprocess:
        image, constants = _normalized_input(card)
        inputs = [image]
    else:
        inputs = [mx.sym.var(INPUT)]
    with single_precision(), without_drops(), fast.plain_operators() if plain else contextlib.nullcontext():
        output = grouped(net(*inputs))
    if not isinstance(output, mx.sym.Symbol) or len(output.list_outputs()) != len(outputs):
        raise UserError("only a network with one output can be exported")
    nodes = SymbolGraph.read(output)
    # unique names, the same in every process; the ONNX exporter derives names with _ and digits, a dot keeps apart
    renamed = nodes.rename(lambda name: name.removeprefix(net.prefix))
    weights = [parameter for parameter in net.collect_params().values() if parameter.name in renamed]
    check_weights(weights)
    tensors = {renamed[parameter.name]: parameter._reduce().astype("float32") for parameter in weights}
    tensors.update({renamed[name]: value for name, value in constants.items()})
    _set_ignored_scales(nodes, tensors)
    named = None if ports is None else tuple(ports)
    return Graph(output, {}, {}, card, named, tuple(outputs)).edited(nodes, tensors)


def _normalized_input(card: Card) -> tuple[mx.sym.Symbol, dict[str, mx.nd.NDArray]]:
    """(symbol of the normalized images, its constants): the arithmetic of `data.transforms.normalize`, in its order."""
    mean, std = np.asarray(card.mean, np.float64), np.asarray(card.std, np.float64)
    values = {"pixel_scale": 1 / (255 * std), "pixel_shift": mean / std}
    constants = {name: mx.nd.array(v.reshape(1, -1, 1, 1), dtype="float32") for name, v in values.items()}
    pixels = mx.sym.transpose(mx.sym.var(INPUT), axes=(0, 3, 1, 2), name="pixels_first")
    pixels = mx.sym.Cast(pixels, dtype="float32", name="pixels_float")
    scale, shift = (mx.sym.var(name, shape=v.shape) for name, v in constants.items())
    pixels = mx.sym.broadcast_mul(pixels, scale, name="pixels_scaled")
    return mx.sym.broadcast_sub(pixels, shift, name="pixels_normal"), constants


def check_weights(parameters: Iterable[mx.gluon.Parameter]) -> None:
    """Raise a `UserError` where one of the parameters has no value yet."""
    missing = next((parameter.name for parameter in parameters if parameter._data is None), None)
    if missing:
        raise UserError(f"the network has no weights yet ({missing}): initialize it or load a parameter file")


def _set_ignored_scales(nodes: SymbolGraph, tensors: dict[str, mx.nd.NDArray]) -> None:
    """Set to 1 the gammas that BatchNorm(scale=False) ignores: other engines would use their values."""
    for node in nodes.nodes:
        if node.op == "BatchNorm" and node.attrs.get("fix_gamma", "True") in ("True", "1"):
            gamma = node.source(1).name
            tensors[gamma] = mx.nd.ones_like(tensors[gamma])
