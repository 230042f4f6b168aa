"""Which network a run trained, what it costs, and on what it was tested: by these, runs can be compared."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..config.card import Card
from ..utils.errors import UserError
from .folder import RunFolder

#: options that decide which images a network is tested on, besides the data set
_TEST_IMAGES = ("data_dir", "rec_val", "val_json", "hold_out", "val_share", "swap_splits", "val_images", "val_count")
_PATHS = ("data_dir", "rec_val", "val_json")
_FIXED = ("digits", "mnist5k", "cifar10", "cifar100")  # wherever their files are


@dataclass(frozen=True)
class RunNetwork:
    """The network of a run.

    Attributes:
        attention: names of its attentions; "" without one.
        params: learnable parameters; None where the network cannot be built here, such as that of a missing plugin.
        macs: MACs of one image; None as well.
    """

    attention: str
    params: int | None = None
    macs: int | None = None


def run_network(path: Path, options: Mapping[str, Any]) -> RunNetwork:
    """The network of a run folder.

    Args:
        path: the folder; without card.json there are no costs.
        options: "group.option" -> value of the run.
    """
    file = RunFolder(path).card_file
    try:
        return _counted(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, UserError):  # of an earlier version, or of a plugin that is not loaded
        return RunNetwork(options.get("model.attention") or "")


@cache
def _counted(card: str) -> RunNetwork:
    from ..analyze.cost import cost
    from ..models.factory import get_model

    read = Card.from_dict(json.loads(card))
    net = get_model(read.model, read.classes, plan=read.plan, **read.options)
    spent = cost(net, read.input_shape)
    return RunNetwork(", ".join(dict.fromkeys(_attentions(net))), spent.params, spent.macs)


def _attentions(block: Any) -> Iterator[str]:
    """Names of the attentions in a network, without the parts of others."""
    from ..attention.factory import Attention, attention_name

    if isinstance(block, Attention):
        yield attention_name(block) or type(block).__name__
    else:
        for child in block._children.values():
            yield from _attentions(child)


def data_key(options: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What decides which test images there are: the scores of two runs are comparable only if it is equal.

    Args:
        options: "group.option" -> value of the run.

    Returns:
        (name, value) of each option that does, "dataset" first.
    """
    name = str(options.get("data.dataset"))
    chosen = {key: options.get(f"data.{key}") for key in _TEST_IMAGES if name not in _FIXED or key not in _PATHS}
    return (("dataset", name), *((key, str(value)) for key, value in chosen.items() if value))


def data_name(options: Mapping[str, Any]) -> str:
    """The data set as tables name it, such as "digits" or "imagenet_folder (photos, val_share 0.2)"."""
    (_, name), *others = data_key(options)
    defaults = ("val_images", "val_count")  # numbers of drawn images tell nothing beside the name
    said = [
        Path(value).name if key in _PATHS else f"{key} {value}".removesuffix(" True")
        for key, value in others
        if key not in defaults
    ]
    return f"{name} ({', '.join(said)})" if said else name
