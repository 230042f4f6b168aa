"""MXNet's own file format: NAME-symbol.json, NAME-0000.params, and the card NAME-card.json."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mxnet as mx

from ..config.card import Card
from ..nn.params import read_params, write_tensors
from ..utils.errors import UserError
from ..utils.files import read_json, write_json, write_text
from .graph import OUTPUT, Graph, Port

ENDING = "-symbol.json"


def write_symbol(graph: Graph, prefix: Path | str) -> Path:
    """Write the three files of a graph.

    `mx.gluon.SymbolBlock.imports` and `mx.model.load_checkpoint(prefix, 0)` read them as well. (`Symbol.bind` of MXNet
    1.9 fuses version 2 ResNets wrongly and refuses them, unless MXNET_SUBGRAPH_BACKEND=NONE is set. Gluon is not
    affected.)

    Args:
        graph: The graph.
        prefix: Folder and name of the files, without their endings.

    Returns:
        Path of the first file, NAME-symbol.json.
    """
    symbol, _, card = _paths(prefix)
    write_part(graph, prefix)
    write_json(card, graph.card.to_dict())
    return symbol


def write_part(graph: Graph, prefix: Path | str) -> Path:
    """Write a graph without a card; arguments and result as of `write_symbol`."""
    symbol, params, _ = _paths(prefix)
    # without the casts bfloat16 would be float32 again
    write_text(symbol, graph.symbol.tojson(remove_amp_cast=False))
    tensors = {f"arg:{name}": value for name, value in graph.args.items()}
    tensors.update({f"aux:{name}": value for name, value in graph.aux.items()})
    write_tensors(params, tensors)
    return symbol


def read_symbol(path: Path | str) -> Graph:
    """The `Graph` in NAME-symbol.json and its two companions.

    Args:
        path: NAME-symbol.json.

    Raises:
        UserError: A file is missing, damaged or of another network.
    """
    card = _paths(str(path).removesuffix(ENDING))[2]
    if not card.is_file():
        raise UserError(f"{path} comes with {card.name}, which is missing beside it")
    return read_part(path, read_card(card))


def read_part(
    path: Path | str, card: Card, ports: Sequence[Port] | None = None, outputs: Sequence[str] = (OUTPUT,)
) -> Graph:
    """The `Graph` in NAME-symbol.json and NAME-0000.params.

    Args:
        path: NAME-symbol.json.
        card: `Card` of the network.
        ports: Inputs of the graph; None: one, images as the card says.
        outputs: Name of each output.

    Raises:
        UserError: A file is missing, damaged or of another network.
    """
    symbol, params, _ = _paths(str(path).removesuffix(ENDING))
    if not params.is_file():
        raise UserError(f"{symbol} comes with {params.name}, which is missing beside it")
    try:
        loaded = mx.sym.load_json(symbol.read_text(encoding="utf-8"))
        found = loaded.list_outputs()
    except (mx.MXNetError, OSError, ValueError):
        raise UserError(f"{symbol} is damaged or not a symbol file") from None
    graph = Graph(loaded, {}, {}, card, None if ports is None else tuple(ports), tuple(outputs))
    inputs = graph.shapes
    if not set(inputs) <= set(loaded.list_arguments()) or len(found) != len(outputs):
        wanted = f"one input named {next(iter(inputs))!r} and one output"
        if ports is not None:
            wanted = f"the inputs {', '.join(inputs)} and {len(outputs)} outputs"
        raise UserError(f"{symbol} does not have {wanted}")
    tensors = read_params(params)
    graph.args.update({name: tensors.get(name) for name in loaded.list_arguments() if name not in inputs})
    graph.aux.update({name: tensors.get(name) for name in loaded.list_auxiliary_states()})
    _check(graph, params, tensors)
    return graph


def read_card(path: Path | str) -> Card:
    """The `Card` in the JSON file `path`; `UserError` when it is missing or wrong."""
    return card_of(read_json(path), path)


def card_of(plain: Any, path: Path | str) -> Card:
    """The `Card` of plain data; `UserError` that names the file `path` when it is wrong."""
    try:
        return Card.from_dict(plain)
    except UserError as error:
        message = str(error)
        raise UserError(message if str(path) in message else f"card {path}: {message}") from None


def block(graph: Graph) -> mx.gluon.SymbolBlock:
    """A hybridized Gluon block of a `Graph`."""
    inputs = [mx.sym.var(port.name, dtype=port.dtype) for port in graph.inputs]
    net = mx.gluon.SymbolBlock(graph.symbol, inputs)
    for name, parameter in net.collect_params().items():
        value = graph.args[name] if name in graph.args else graph.aux[name]
        parameter._load_init(value, mx.cpu(), cast_dtype=True, dtype_source="saved")
    # with a static shape MXNet keeps the weights that oneDNN has put in its order, or quantized, from pass to pass
    net.hybridize(static_alloc=True, static_shape=True)
    return net


def _check(graph: Graph, path: Path, tensors: dict[str, mx.nd.NDArray]) -> None:
    """Raise a `UserError` unless the tensors are those of the graph, and the graph's output fits the card."""
    expected = graph.tensors
    strange = sorted(set(expected) ^ set(tensors))
    if strange:
        kind = "lacks" if strange[0] in expected else "has"
        raise UserError(f"{path} is of another network: it {kind} {strange[0]}")
    try:
        args, outputs, aux = graph.symbol.infer_shape(**graph.shapes)
    except Exception:  # MXNet's own for tensors of too many values, and others
        shape = "x".join(map(str, graph.inputs[0].shape[1:]))
        raise UserError(f"{path} does not go with its card: the network takes no images of {shape}") from None
    names = graph.symbol.list_arguments() + graph.symbol.list_auxiliary_states()
    for name, shape in zip(names, args + aux, strict=True):
        if name in tensors and tensors[name].shape != shape:
            raise UserError(f"{path} is of another network: {name} has shape {tensors[name].shape}, not {shape}")
    if graph.ports is None and outputs[0] != (1, graph.card.classes):
        raise UserError(f"{path} does not go with its card: {outputs[0][1:]} outputs, {graph.card.classes} classes")


def _paths(prefix: Path | str) -> tuple[Path, Path, Path]:
    return Path(f"{prefix}{ENDING}"), Path(f"{prefix}-0000.params"), Path(f"{prefix}-card.json")
