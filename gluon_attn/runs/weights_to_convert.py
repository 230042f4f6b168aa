"""What weights say of themselves before they are converted: whose they are, of which network, how many classes."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import mxnet as mx

from ..config.model import ModelConfig
from ..convert import read_weights, rows
from ..convert.files import Weights
from ..convert.infer_model import LIBRARIES, flags, infer_config
from ..convert.infer_source import infer_source
from ..convert.library_weights import library_network, read_library_weights
from ..convert.names import find_name_map
from ..convert.tensors import Tensors
from ..models.build import build
from ..models.detection import Detector
from ..models.factory import model_info
from ..nn.params import classifier
from ..utils.errors import UserError


def weights_reader(
    path: str | Path, source: str | None, weights: str | None
) -> tuple[Callable[[str | None], Weights], str | None]:
    """How the weights at a path are read.

    Args:
        path: file of weights, or a network of a library, such as timm:seresnet50.
        source: whose names they have, where it is given.
        weights: "raw" or "ema", where it is given.

    Returns:
        (source or None -> the weights, the source where it is given or follows from the path).

    Raises:
        UserError: the options contradict the path.
    """
    named = library_network(str(path))
    if named is None:
        if source:
            find_name_map(source)  # whether it is known, before the file is read
        return lambda known: read_weights(path, weights, bool(known) and find_name_map(str(known)).prefers_ema), source
    if source not in (None, named.library):
        raise UserError(f"{path} are weights of {named.library}, not of {source}: leave out option source")
    if weights:
        raise UserError("option weights chooses from a checkpoint in a file: leave it out")
    whole = cache(lambda: read_library_weights(named))
    return lambda known: whole(), named.library


def inferred(
    tensors: Tensors, source: str | None, config: ModelConfig | None, classes: int | None
) -> tuple[str, ModelConfig]:
    """Whose weights they are and of which network, where one of them or both are not given.

    Args:
        tensors: the weights.
        source: whose names they have, or None.
        config: the network that they are of, or None.
        classes: number of classes, where it is given.

    Returns:
        (source, network).

    Raises:
        UserError: the tensors do not tell.
    """
    if config is None:
        found = (infer_config(tensors, name) for name in ([source] if source else LIBRARIES))
        config = next(filter(None, found), None)
    if config is None:
        raise UserError(
            "the tensors do not tell which network the weights are of: name it with option model; "
            "`gluon-attn models` lists them"
        )
    if source is None:
        make = cache(partial(network_of, config))

        def network(name: str) -> mx.gluon.HybridBlock:
            net = make(classes)
            return net if classes else make(classes_of(net, tensors, name))

        try:
            source = infer_source(network, tensors)
        except UserError as error:
            raise UserError(f"{error}{fitting_flags(tensors, *LIBRARIES)}") from None
    return source, config


def fitting_flags(tensors: Tensors, *sources: str) -> str:
    """What to add to the complaint that weights do not fit: the flags that do, where tensors tell them; else "".

    Args:
        tensors: the weights.
        sources: whose names they may have.
    """
    found = next(filter(None, (infer_config(tensors, source) for source in sources)), None)
    return f"; these fit: {flags(found)}" if found else ""


def network_of(config: ModelConfig, classes: int | None) -> mx.gluon.HybridBlock:
    """A network, with the classes that it was designed for where `classes` is None."""
    return build(config, classes or model_info(config.model).classes)


def classes_of(net: mx.gluon.HybridBlock, tensors: Tensors, source: str) -> int:
    """How many classes the weights have."""
    own = net.recipe["classes"]
    if isinstance(net, Detector):  # which counts no background
        return (rows(net, tensors, source, "box_head.cls_score.weight") or own + 1) - 1
    paths = [path for path in classifier(net, own) if path.endswith("weight")]
    return (rows(net, tensors, source, paths[0]) if paths and tensors else None) or own
