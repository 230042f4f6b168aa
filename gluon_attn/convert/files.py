"""Files of weights of PyTorch, safetensors and MXNet, which differ in their first bytes."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ..nn.params import few, read_params
from ..nn.params_format import MAGIC
from ..utils.errors import UserError
from ..utils.files import write_bytes
from ..utils.optional import require
from .checkpoint_keys import CHOICES, Choice, find_state
from .tensors import Tensors
from .torch_file import load

_ZIP, _PICKLE, _MXNET = b"PK\x03\x04", b"\x80", MAGIC.to_bytes(8, "little")


@dataclass(frozen=True)
class Weights:
    """The content of a file.

    Attributes:
        kind: of the file, for messages.
        tensors: the weights.
        other_keys: keys of a checkpoint that are no weights, such as the optimizer.
        choice: which weights of a checkpoint with an EMA were taken; None for other files.
    """

    kind: str
    tensors: Tensors
    other_keys: tuple[str, ...] = ()
    choice: Choice | None = None


def read_weights(path: Path | str, weights: str | None = None, prefer_ema: bool = False) -> Weights:
    """Read a file of weights. Code in it is never run.

    Args:
        path: a `.pth`, `.pt`, `.pth.tar`, `.safetensors` or `.params` file; the ending of its name is ignored.
        weights: of a checkpoint, "raw" for the weights of the last step or "ema" for their moving average (default:
            what there is; `prefer_ema` decides where both are).
        prefer_ema: take the EMA where `weights` leaves it open and the file has both, as timm does.

    Raises:
        UserError: the file is missing, damaged, none of these, or holds code, or has no such weights.
    """
    if weights not in (None, *CHOICES):
        raise UserError(f"option weights must be {' or '.join(CHOICES)}, got {weights!r}")
    path = Path(path)
    if not path.is_file():
        raise UserError(f"file {path} does not exist")
    try:
        with open(path, "rb") as file:
            start = file.read(9)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    is_mxnet, is_safetensors = start.startswith(_MXNET), start[5:] == b"\0\0\0{"  # a header's length, and JSON
    if weights == "ema" and (is_mxnet or is_safetensors):
        raise UserError(f"{path} has no EMA of the weights: leave out option weights")
    if is_mxnet:
        return _mxnet(path)
    if is_safetensors:
        return _safetensors(path)
    if start.startswith((_ZIP, _PICKLE)):
        return _torch(path, start.startswith(_ZIP), weights, prefer_ema)
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


def _torch(path, is_zip, weights, prefer_ema):
    torch = require("torch")
    found = find_state(
        load(path, torch, is_zip), lambda value: isinstance(value, torch.Tensor), path, weights, prefer_ema
    )
    return Weights(
        "PyTorch checkpoint" if found.other_keys else "PyTorch tensors",
        Tensors({name: partial(_numpy, value, torch) for name, value in found.state.items()}),
        found.other_keys,
        found.choice,
    )


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
    write_bytes(path, buffer.getvalue())
