"""The weights that a run's network starts from: a file's where it has them, new ones elsewhere, which is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock

from ..engine.prepare_network import mark_new, new_parameters
from ..models.added_parts import planned_modules
from ..models.detection import Detector
from ..models.identity_start import start_as_identity
from ..models.start_weights import StartWeights, absent_modules, parameters_below, start_from_file
from ..nn.params import classifier, few, fill, load_params, read_params
from ..utils.errors import UserError
from ..utils.log import get_logger

_WHOLE = "body."  # how the names of a detector's own parameters begin
_BACKBONE = "body.backbone."


def start_classifier(net: HybridBlock, path: Path | str, classes: int, strict: bool = False) -> StartWeights:
    """Fill a classifier from a parameter file, and warn of what starts anew.

    Args:
        net: the network, initialized.
        path: the parameter file.
        classes: of the network.
        strict: all of it must be in the file, as where its weights are only evaluated.

    Raises:
        UserError: the file is of another network.
    """
    if strict:
        load_params(net, path)
        took = StartWeights(str(path), classes=classes)
    else:
        took = start_from_file(net, path, classifier(net, classes), classes)
    _tell(net, took)
    return took


def start_detector(net: Detector, path: str, classes: int) -> StartWeights:
    """Fill a detector's backbone from the parameter file of a classification network, or all of it from a detector's.

    The classifier of the file is left out. A detector's last layers for another number of classes and attention that
    the file has not start anew, which is said.

    Args:
        net: the detector, initialized.
        path: the parameter file.
        classes: without the background.

    Raises:
        UserError: the file is of another network.
    """
    tensors = read_params(path)
    if any(name.startswith(_WHOLE) for name in tensors):
        took = start_from_file(net, path, _of_classes(net), classes)
    else:
        took = _fill_backbone(net, path, tensors, classes)
    _tell(net, took)
    return took


def _fill_backbone(net: Detector, path: str, tensors: dict[str, mx.nd.NDArray], classes: int) -> StartWeights:
    backbone = net.body.backbone
    names = backbone.classifier_names()
    found = {own for own, there in names.items() if there in tensors}
    modules = [where for where, module in planned_modules(backbone).items() if module.collect_params().keys()]
    absent = absent_modules(backbone, modules, found)
    anew = set(parameters_below(backbone, absent))
    lacking = sorted(there for own, there in names.items() if own not in found | anew)
    if lacking:
        raise UserError(f"{path} is of another network than the detector's backbone: it lacks {few(lacking)}")
    for name, param in backbone._collect_params_with_prefix().items():
        if name in anew:
            continue
        value = tensors[names[name]]
        if param.shape != value.shape:
            raise UserError(f"{path}: {names[name]} has shape {value.shape}, the detector's backbone {param.shape}")
        fill(param, value, param.list_ctx())
    left_out = sorted(set(tensors) - set(names.values()))
    if left_out:
        get_logger().info("%s: left out %s, which a detector does not have", path, few(left_out))
    return StartWeights(path, tuple(f"{_BACKBONE}{where}" for where in absent), classes=classes)


def pretrained_backbone(net: Detector) -> list[str]:
    """Names of the parameters of a detector's backbone that do not start anew."""
    new = new_parameters(net)
    return [name for name in net._collect_params_with_prefix() if name.startswith(_BACKBONE) and name not in new]


def _of_classes(net: Detector) -> list[str]:
    """Names of the parameters whose first length follows from the number of classes."""
    layers = ["box_head.cls_score", "box_head.bbox_pred"]
    if net.mask_head:
        layers.append("mask_head.mask_fcn_logits")
    return [f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]


def _tell(net: HybridBlock, took: StartWeights) -> None:
    mark_new(net, took.new_names(net))
    if took.message():
        get_logger().warning("%s", took.message())


def apply_attention_start(
    net: HybridBlock, way: str, took: StartWeights | None, size: tuple[int, int], device: mx.Context
) -> None:
    """Give the attention that starts anew the initial weights that option attention_start asks for.

    Args:
        net: the network, with its weights and not hybridized.
        way: "usual" or "identity".
        took: what is from a file; None: nothing.
        size: height and width of images.
        device: where the network is.

    Raises:
        UserError: there is no new attention, or it has no such start.
    """
    if way == "usual":
        return
    modules = {
        path: module
        for path, module in planned_modules(net).items()
        if took is None or path in took.modules or not module.collect_params().keys()
    }
    if not modules:
        raise UserError("option attention_start is for attention that starts anew, here is none: leave it out")
    root, prefix = _graph(net)
    noise = np.random.default_rng(0).normal(size=(1, 3, *size))
    image = mx.nd.array(noise, ctx=device, dtype="float32")
    forward: Callable[[], Any] = lambda: root(image)  # noqa: E731
    factors, difference = start_as_identity(
        root, {path.removeprefix(prefix): module for path, module in modules.items()}, forward
    )
    scaled = [factor for factor in factors if factor != 1]
    text = "attention_start identity: %d modules begin %s; the network computes what it does without them%s"
    how = f"with gates of {' and '.join(f'{factor:g}' for factor in scaled)}, made up for by the layers before them"
    exact = "" if difference == 0 else f", up to {difference:.1g} of its largest output"
    get_logger().info(text, len(modules), how if scaled else "with 0 beside their input", exact)


def _graph(net: HybridBlock) -> tuple[HybridBlock, str]:
    """The graph that attention is in, and how names of its parameters begin in the network."""
    return (net.body.backbone, _BACKBONE) if isinstance(net, Detector) else (net, "")
