"""Where a checkpoint has the weights: those of the last step, called raw, and their moving average (EMA)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..utils.errors import UserError

#: keys of the raw weights in a checkpoint, the usual one first; "module" is DeepSpeed's
RAW_KEYS = ("state_dict", "model", "model_state_dict", "net", "weights", "model_state", "module")
#: keys of the EMA, in timm's order; the rest are those of other training scripts
EMA_KEYS = (
    "state_dict_ema", "model_ema", "ema_state_dict", "model_state_dict_ema", "model_ema_state_dict", "model_state_ema",
    "ema_model_state_dict", "ema_model", "ema",
)  # fmt: skip
CHOICES = ("raw", "ema")


@dataclass(frozen=True)
class Choice:
    """Which of two sets of weights was taken from a checkpoint.

    Attributes:
        kind: "raw" or "ema".
        key: its key.
        other: key of the other set; "" if there is none.
    """

    kind: str
    key: str
    other: str


@dataclass(frozen=True)
class Found:
    """The weights in a checkpoint.

    Attributes:
        state: name -> tensor.
        other_keys: keys of the checkpoint that are no weights.
        choice: what was taken; None where the file has no EMA.
    """

    state: Mapping[str, Any]
    other_keys: tuple[str, ...]
    choice: Choice | None = None


def find_state(
    found: Any, is_tensor: Callable[[Any], bool], path: Path | str, weights: str | None = None, prefer_ema: bool = False
) -> Found:
    """Find the weights in what a PyTorch file holds.

    Args:
        found: the content of the file.
        is_tensor: whether a value is a tensor.
        path: the file, for messages.
        weights: "raw" or "ema"; None takes what there is, and of both what `prefer_ema` says.
        prefer_ema: see `weights`. MMEngine's checkpoints prefer the EMA in any case: they are made so.

    Raises:
        UserError: there are no weights, or not those that are asked for.
    """
    if isinstance(found, dict):
        tensors = {name: value for name, value in found.items() if is_tensor(value)}
        if tensors and len(tensors) == len(found):
            return Found(_leaf(tensors, path, weights), ())
        keys = _keys(found)
        if keys and (weights, *keys) == ("raw", "ema"):
            raise UserError(f"{path} has the EMA of the weights alone ({keys['ema']}): leave out option weights")
        if keys:
            usual = "ema" if prefer_ema or _swapped(found) else "raw"
            kind = next(kind for kind in (weights, usual, *keys) if kind in keys)
            return _below(found, keys, kind, is_tensor, path, weights, prefer_ema)
        if len(tensors) > len(found) / 2:
            others = tuple(str(name) for name in found if name not in tensors)
            return Found(_leaf(tensors, path, weights), others)
    raise UserError(f"{path} holds no tensors by name; expected a state_dict or a checkpoint with one")


def _keys(found: Mapping[Any, Any]) -> dict[str, str]:
    """Kind -> key of those weights, raw before EMA."""
    keys = {
        kind: next((key for key in known if isinstance(found.get(key), dict) and found[key]), None)
        for kind, known in (("raw", RAW_KEYS), ("ema", EMA_KEYS))
    }
    if _swapped(found):
        keys = {"raw": keys["ema"], "ema": keys["raw"]}
    return {kind: key for kind, key in keys.items() if key}


def _swapped(found: Mapping[Any, Any]) -> bool:
    """Whether it is MMEngine's: its state_dict is the EMA, and ema_state_dict has the raw weights."""
    meta = found.get("meta")
    return "ema_state_dict" in found and isinstance(meta, dict) and "mmengine_version" in meta


def _below(found, keys, kind, is_tensor, path, weights, prefer_ema):
    """The weights under the key of `kind`; what it holds may be a checkpoint again."""
    key = keys[kind]
    other = next((keys[name] for name in keys if name != kind), "")
    settled = kind == "ema" or other  # below that key there is nothing to choose any more
    inner = find_state(found[key], is_tensor, path, None if settled else weights, prefer_ema)
    names = (*(str(name) for name in found if name != key), *inner.other_keys)
    return Found(inner.state, names, Choice(kind, key, other) if settled else inner.choice)


def _leaf(tensors, path, weights):
    """The tensors; they are one set of weights."""
    if weights == "ema":
        raise UserError(f"{path} has no EMA of the weights: leave out option weights")
    return tensors
