"""Parameter files: written whole or not at all, read strictly."""

import ctypes
import struct
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import mxnet as mx
from mxnet.base import _LIB, check_call
from mxnet.gluon import HybridBlock, Parameter, nn

from ..utils.errors import UserError
from ..utils.files import atomic_path, checked_file
from ..utils.paths import expanded
from ..utils.printable import is_utf8
from .params_format import MAGIC, is_whole

Devices: TypeAlias = mx.Context | list[mx.Context] | None


def save_params(net: HybridBlock, path: Path | str) -> None:
    """Write a network's parameters and running statistics under their structural names.

    Args:
        net: the network, initialized.
        path: the file, which appears whole or not at all.

    Raises:
        WriteError: if the file cannot be written.
    """
    tensors = {name: param._reduce() for name, param in net._collect_params_with_prefix().items()}
    write_tensors(expanded(path), tensors)


def write_tensors(path: Path | str, tensors: Mapping[str, mx.nd.NDArray]) -> None:
    """Write arrays by name, in the bytes of `mx.nd.save`, which does not notice that a disk is full.

    Args:
        path: the file, which appears whole or not at all.
        tensors: name -> array.

    Raises:
        WriteError: if the file cannot be written.
    """
    with atomic_path(path) as staged, checked_file(staged) as file:
        file.write(struct.pack("<QQQ", MAGIC, 0, len(tensors)))
        for value in tensors.values():
            file.write(_serialized(value))
        file.write(struct.pack("<Q", len(tensors)))
        for name in map(str.encode, tensors):
            file.write(struct.pack("<Q", len(name)) + name)


def load_params(net: HybridBlock, path: Path | str, ctx: Devices = None, renewed: Sequence[str] = ()) -> list[str]:
    """Read a parameter file into a network, which is initialized where needed.

    Args:
        net: the network.
        path: the file.
        ctx: device or devices (default: those of the network, else the CPU).
        renewed: names of tensors that keep the values they are initialized with, if all of them have another first
            length in the file; so has a classifier for another number of classes.

    Returns:
        The names among `renewed` that were not loaded.

    Raises:
        UserError: if the file cannot be read, or a tensor is missing, left over or has the wrong shape. The network is
            then left as it was.
    """
    return set_params(net, read_params(path), path, ctx, renewed)


def set_params(
    net: HybridBlock,
    tensors: Mapping[str, mx.nd.NDArray],
    path: Path | str,
    ctx: Devices = None,
    renewed: Sequence[str] = (),
    anew: Collection[str] = (),
) -> list[str]:
    """Set the parameters of a network, which is initialized where needed, to the tensors of a file.

    Args:
        net: the network.
        tensors: structural name -> array.
        path: the file that they are from, for messages.
        ctx, renewed: as of `load_params`.
        anew: names of tensors that the file does not have; they keep the values they are initialized with.

    Returns:
        As `load_params`.

    Raises:
        UserError: as `load_params`.
    """
    tensors = dict(tensors)
    params = {name: param for name, param in net._collect_params_with_prefix().items() if name not in anew}
    check_names(path, params, tensors)
    left_out = _of_other_length(params, tensors, renewed)
    for name in left_out:
        del params[name], tensors[name]
    for name, value in tensors.items():
        if params[name].shape is not None and not _fits(params[name].shape, value.shape):
            raise UserError(f"{path} is of another network: {name} has shape {value.shape}, here {params[name].shape}")
    for name, param in params.items():
        fill(param, tensors[name], ctx)
    return left_out


def check_names(path: Path | str, expected: Collection[str], found: Collection[str]) -> None:
    """Check that a parameter file has the tensors of a network, and no others.

    Args:
        path: the file, for the message.
        expected: their names in the network.
        found: their names in the file.

    Raises:
        UserError: some are missing or left over.
    """
    missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    if missing or extra:
        parts = [f"it lacks {few(missing)}"] * bool(missing) + [f"it has {few(extra)} besides"] * bool(extra)
        raise UserError(f"{path} is of another network: {', '.join(parts)}")


def classifier(net: HybridBlock, classes: int | None = None) -> list[str]:
    """Names of the parameters of a network's classifier: its last dense or convolutional layer.

    Args:
        net: the network.
        classes: the number of outputs of that layer (default None: any).

    Returns:
        The names, [] if there is no such layer.
    """
    layers: list[HybridBlock] = []

    def visit(block: HybridBlock) -> None:
        if isinstance(block, (nn.Dense, nn.Conv2D)) and classes in (None, block.weight.shape[0]):
            layers.append(block)

    net.apply(visit)
    own = {id(param) for layer in layers[-1:] for param in layer.collect_params().values()}
    return [name for name, param in net._collect_params_with_prefix().items() if id(param) in own]


def fill(param: Parameter, value: mx.nd.NDArray, ctx: Devices = None) -> None:
    """Set a parameter, initialized or not, to a value, cast to the parameter's dtype.

    Args:
        param: the parameter.
        value: array of its shape.
        ctx: as in `load_params`.
    """
    param._load_init(value, _devices(param, ctx), cast_dtype=True, dtype_source="current")


def few(names: Sequence[str]) -> str:
    """The first three of some names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def read_params(path: Path | str) -> dict[str, mx.nd.NDArray]:
    """The tensors of a parameter file.

    Args:
        path: a file that `save_params` or MXNet's `export` wrote.

    Returns:
        Name -> array.

    Raises:
        UserError: if the file is missing, damaged or not a parameter file.
    """
    path = expanded(path)
    if not Path(path).is_file():
        raise UserError(f"parameter file {path} does not exist")
    try:
        if not is_whole(path):
            raise ValueError
        tensors = read_tensors(path)
    except OSError as error:
        raise UserError(f"cannot read parameter file {path}: {error.strerror}") from None
    except (mx.MXNetError, ValueError):
        raise UserError(f"parameter file {path} is damaged or not a parameter file") from None
    if not tensors:  # of a network without parameters; MXNet gives a list
        return {}
    if not isinstance(tensors, dict):
        raise UserError(f"parameter file {path} holds no names; expected a file that save_params wrote")
    return {name.split(":", 1)[-1]: value for name, value in tensors.items()}


def read_tensors(path: Path | str) -> Any:
    """What `mx.nd.load` reads from a file, whose name may have bytes that are not UTF-8."""
    if is_utf8(path):
        return mx.nd.load(str(path))
    return mx.nd.load_frombuffer(Path(path).read_bytes())  # MXNet could not open it


def _serialized(value: mx.nd.NDArray) -> memoryview:
    """An array in MXNet's bytes, which stay valid until the next call."""
    size, start = ctypes.c_size_t(), ctypes.c_void_p()
    check_call(_LIB.MXNDArraySaveRawBytes(value.handle, ctypes.byref(size), ctypes.byref(start)))
    return memoryview((ctypes.c_char * size.value).from_address(start.value or 0)).cast("B")


def _devices(param: Parameter, ctx: Devices) -> list[mx.Context]:
    """Devices for the values; a parameter on others is moved."""
    devices = [ctx] if isinstance(ctx, mx.Context) else ctx
    if param._data is None and not param._deferred_init:
        return devices or [mx.cpu()]
    if devices and set(devices) != set(param.list_ctx()):
        param.reset_ctx(devices)
    return param.list_ctx()


def _of_other_length(
    params: dict[str, Parameter], tensors: dict[str, mx.nd.NDArray], names: Sequence[str]
) -> list[str]:
    """The names if each has another first length in `tensors` and otherwise fits, else []."""
    pairs = [(params[name].shape, tensors[name].shape) for name in names]
    other = all(own[:1] != found[:1] and _fits(own[1:], found[1:]) for own, found in pairs)
    return list(names) if other else []


def _fits(shape: Sequence[int], found: Sequence[int]) -> bool:
    """Whether an array of shape `found` fits a parameter's shape, in which 0 and -1 are unknown."""
    return len(shape) == len(found) and all(a in (0, -1, b) for a, b in zip(shape, found, strict=True))
