"""Files of weights of PyTorch, safetensors and MXNet, which differ in their first bytes."""

import contextlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from pickle import UnpicklingError

import numpy as np

from ..nn.params import few, read_params
from ..utils.errors import UserError
from ..utils.files import write_bytes
from ..utils.optional import require
from .tensors import Tensors

_ZIP, _PICKLE, _MXNET = b"PK\x03\x04", b"\x80", (0x112).to_bytes(8, "little")
#: keys of the state dict in a checkpoint, the usual one first
_STATE_KEYS = ("state_dict", "model", "model_state_dict", "net", "weights")


@dataclass(frozen=True)
class Weights:
    """The content of a file.

    Attributes:
        kind: of the file, for messages.
        tensors: the weights.
        other_keys: keys of a checkpoint that are no weights, such as the optimizer.
    """

    kind: str
    tensors: Tensors
    other_keys: tuple[str, ...] = ()


def read_weights(path: Path | str) -> Weights:
    """Read a file of weights. Code in it is never run.

    Args:
        path: a `.pth`, `.pt`, `.pth.tar`, `.safetensors` or `.params` file; the ending of its name is ignored.

    Raises:
        UserError: the file is missing, damaged, none of these, or holds code.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"file {path} does not exist")
    with open(path, "rb") as file:
        start = file.read(9)
    if start.startswith(_MXNET):
        return _mxnet(path)
    if start[5:] == b"\0\0\0{":  # the length of a header, which is JSON
        return _safetensors(path)
    if start.startswith((_ZIP, _PICKLE)):
        return _torch(path, start.startswith(_ZIP))
    raise UserError(f"{path} is no file of weights: expected PyTorch's, safetensors or MXNet's .params")


def _mxnet(path):
    found = read_params(path)
    return Weights("MXNet parameters", Tensors({name: value.asnumpy for name, value in found.items()}))


def _safetensors(path):
    library = require("safetensors")
    try:
        file = library.safe_open(path, framework="np")
    except library.SafetensorError as error:
        raise UserError(f"{path} is damaged or no safetensors file: {error}") from None
    kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118 - no mapping
    unknown = [name for name, kind in kinds.items() if kind.startswith(("BF", "F8"))]
    if unknown:
        raise UserError(f"{path} has {few(unknown)} in {kinds[unknown[0]]}, which NumPy lacks: save it in float32")
    return Weights("safetensors", Tensors({name: partial(file.get_tensor, name) for name in kinds}))


def _torch(path, is_zip):
    torch = require("torch")
    try:
        # torch warns of tarred files and the like on stderr
        with contextlib.redirect_stderr(io.StringIO()):
            found = torch.load(str(path), map_location="cpu", weights_only=True, **({"mmap": True} if is_zip else {}))
    except UnpicklingError as error:
        reason = str(error).partition("WeightsUnpickler error:")[2]
        if "nsupported" not in reason:
            raise UserError(f"{path} is damaged or no PyTorch file") from None
        asked = re.search(r"(?:GLOBAL|class) ([\w.]+\.[\w.]+)", reason)
        what = f" ({asked[1]})" if asked else ""
        raise UserError(
            f"{path} holds more than weights{what}, or is damaged: it is not opened, since code in it would run; "
            "save the state_dict alone"
        ) from None
    except Exception:  # a reader of damaged bytes may raise anything
        raise UserError(f"{path} is damaged or no PyTorch file") from None
    state, other_keys = _state(found, torch, path)
    return Weights(
        "PyTorch checkpoint" if other_keys else "PyTorch tensors",
        Tensors({name: partial(_numpy, value, torch) for name, value in state.items()}),
        other_keys,
    )


def _state(found, torch, path):
    """(name -> tensor, other keys of a checkpoint)."""
    if isinstance(found, dict):
        tensors = {name: value for name, value in found.items() if isinstance(value, torch.Tensor)}
        if tensors and len(tensors) == len(found):
            return tensors, ()
        for key in _STATE_KEYS:
            if isinstance(found.get(key), dict):
                state, below = _state(found[key], torch, path)
                return state, (*(str(name) for name in found if name != key), *below)
        if len(tensors) > len(found) / 2:
            return tensors, tuple(str(name) for name in found if name not in tensors)
    raise UserError(f"{path} holds no tensors by name; expected a state_dict or a checkpoint with one")


def _numpy(value, torch):
    value = value.detach()
    return (value.float() if value.dtype == torch.bfloat16 else value).numpy()


def write_weights(path: Path | str, state: Mapping[str, np.ndarray]) -> None:
    """Write a state dict, whole or not at all.

    Args:
        path: ends in .safetensors, .pth or .pt.
        state: name -> array.

    Raises:
        UserError: the library that writes such files is missing, or the file cannot be written.
    """
    if str(path).endswith(".safetensors"):
        write_bytes(path, require("safetensors.numpy").save(state, metadata={"format": "pt"}))
        return
    torch = require("torch")
    buffer = io.BytesIO()
    torch.save({name: torch.from_numpy(value) for name, value in state.items()}, buffer)
    write_bytes(path, buffer.getbuffer())
