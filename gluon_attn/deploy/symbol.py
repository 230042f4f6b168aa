"""MXNet's own file format: NAME-symbol.json, NAME-0000.params, and the card NAME-card.json."""

from pathlib import Path

import mxnet as mx

from ..config.card import Card
from ..nn.params import read_params, write_tensors
from ..utils.errors import UserError
from ..utils.files import read_json, write_json, write_text
from .graph import INPUT, Graph

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
    symbol, params, card = _paths(prefix)
    # without the casts bfloat16 would be float32 again
    write_text(symbol, graph.symbol.tojson(remove_amp_cast=False))
    tensors = {f"arg:{name}": value for name, value in graph.args.items()}
    tensors.update({f"aux:{name}": value for name, value in graph.aux.items()})
    write_tensors(params, tensors)
    write_json(card, graph.card.to_dict())
    return symbol


def read_symbol(path: Path | str) -> Graph:
    """The `Graph` in NAME-symbol.json and its two companions.

    Args:
        path: NAME-symbol.json.

    Raises:
        UserError: A file is missing, damaged or of another network.
    """
    symbol, params, card = _paths(str(path).removesuffix(ENDING))
    for companion in (params, card):
        if not companion.is_file():
            raise UserError(f"{symbol} comes with {companion.name}, which is missing beside it")
    try:
        loaded = mx.sym.load_json(symbol.read_text(encoding="utf-8"))
        outputs = loaded.list_outputs()
    except (mx.MXNetError, OSError, ValueError):
        raise UserError(f"{symbol} is damaged or not a symbol file") from None
    if INPUT not in loaded.list_arguments() or len(outputs) != 1:
        raise UserError(f"{symbol} does not have one input named {INPUT!r} and one output")
    tensors = read_params(params)
    names = [name for name in loaded.list_arguments() if name != INPUT]
    graph = Graph(
        loaded,
        {name: tensors.get(name) for name in names},
        {name: tensors.get(name) for name in loaded.list_auxiliary_states()},
        read_card(card),
    )
    _check(graph, params, tensors)
    return graph


def read_card(path: Path | str) -> Card:
    """The `Card` in the JSON file `path`; `UserError` when it is missing or wrong."""
    try:
        return Card.from_dict(read_json(path))
    except UserError as error:
        message = str(error)
        raise UserError(message if str(path) in message else f"card {path}: {message}") from None


def block(graph: Graph) -> mx.gluon.SymbolBlock:
    """A hybridized Gluon block of a `Graph`."""
    net = mx.gluon.SymbolBlock(graph.symbol, mx.sym.var(INPUT, dtype=graph.input_dtype))
    for name, parameter in net.collect_params().items():
        value = graph.args[name] if name in graph.args else graph.aux[name]
        parameter._load_init(value, mx.cpu(), cast_dtype=True, dtype_source="saved")
    net.hybridize(static_alloc=True)
    return net


def _check(graph: Graph, path: Path, tensors: dict[str, mx.nd.NDArray]) -> None:
    """Raise a `UserError` unless the tensors are those of the graph, and the graph's output fits the card."""
    expected = graph.tensors
    strange = sorted(set(expected) ^ set(tensors))
    if strange:
        kind = "lacks" if strange[0] in expected else "has"
        raise UserError(f"{path} is of another network: it {kind} {strange[0]}")
    try:
        args, outputs, aux = graph.symbol.infer_shape(**{INPUT: (1, *graph.input_shape)})
    except Exception:  # MXNet's own for tensors of too many values, and others
        shape = "x".join(map(str, graph.input_shape))
        raise UserError(f"{path} does not go with its card: the network takes no images of {shape}") from None
    names = graph.symbol.list_arguments() + graph.symbol.list_auxiliary_states()
    for name, shape in zip(names, args + aux, strict=True):
        if name != INPUT and tensors[name].shape != shape:
            raise UserError(f"{path} is of another network: {name} has shape {tensors[name].shape}, not {shape}")
    if outputs[0] != (1, graph.card.classes):
        raise UserError(f"{path} does not go with its card: {outputs[0][1:]} outputs, {graph.card.classes} classes")


def _paths(prefix: Path | str) -> tuple[Path, Path, Path]:
    return Path(f"{prefix}{ENDING}"), Path(f"{prefix}-0000.params"), Path(f"{prefix}-card.json")
