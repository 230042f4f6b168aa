"""Convert weight files: those of other repositories into ours, and ours into timm's and torchvision's."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mxnet as mx

from ..config.card import Card
from ..config.model import ModelConfig
from ..convert import match, save_match, save_reference
from ..convert.counterpart import counterpart, needed_counterpart
from ..convert.files import Weights
from ..convert.from_reference import Match
from ..convert.infer_model import LIBRARIES, flags, infer_config
from ..convert.library_call import Counterpart
from ..convert.mmdetection import OPTIONS as MMDETECTION
from ..convert.tensors import Tensors
from ..convert.timm_models import ALIKE
from ..deploy.load_run import card_network, load_run
from ..models.catalogue import catalogue
from ..models.detection import Detector
from ..nn.params import classifier, load_params, read_params
from ..utils.errors import UserError
from ..utils.log import get_logger
from .conversion_check import ConversionCheck, check_conversion, read_image_for
from .weights_to_convert import classes_of, fitting_flags, inferred, network_of, weights_reader

#: source -> network options with which a detector computes as there
CONVENTIONS: dict[str, dict[str, Any]] = {"mmdetection": MMDETECTION}


@dataclass(frozen=True)
class ImportedWeights:
    """Weights of another repository that were written as a parameter file of ours.

    Attributes:
        net: The network that they are of; it has them if an image was checked.
        weights: What the file held.
        match: Which tensor was mapped to which parameter.
        check: Predictions of both networks for the image, if one was given.
        source: Whose names the weights have.
        config: The options of the network.
    """

    net: mx.gluon.HybridBlock
    weights: Weights
    match: Match
    check: ConversionCheck | None
    source: str
    config: ModelConfig

    @property
    def flags(self) -> str:
        """The flags of the network, where it was told by the tensors."""
        return flags(self.config)

    @property
    def alike(self) -> tuple[str, ...]:
        """Networks of timm whose weights its tensors may be as well, although they compute otherwise."""
        theirs = counterpart(self.net, "timm") if self.source == "timm" else None
        return ALIKE.get(theirs.name, ()) if theirs and set(theirs.options) == {"num_classes"} else ()


@dataclass(frozen=True)
class ExportedWeights:
    """Weights of ours that were written as a file of another library.

    Attributes:
        net: The network that they are of.
        counterpart: The other library's network.
        tensors: How many tensors were written.
        check: Predictions of both networks for the image, if one was given.
    """

    net: mx.gluon.HybridBlock
    counterpart: Counterpart
    tensors: int
    check: ConversionCheck | None


def import_weights(
    path: str | Path,
    output: str | Path,
    source: str | None,
    config: ModelConfig | None,
    classes: int | None = None,
    image: str | Path | None = None,
    weights: str | None = None,
) -> ImportedWeights:
    """Write the weights of another repository as a parameter file of ours.

    Args:
        path: File of weights, or a network of a library with its weights, such as timm:seresnet50.
        output: Parameter file to write.
        source: Whose names the weights have, one of `convert.sources()` (default: as the tensors say).
        config: The network that they are of (default: as the tensors say, of a ResNet of timm's or torchvision's).
        classes: Number of classes (default: as many as the weights have).
        image: Image file to compare both networks on.
        weights: Of a checkpoint, "raw" for the weights of the last step or "ema" for their moving average (default: as
            the source's own code does: timm takes the EMA where there is one, the others the raw weights).

    Raises:
        UserError: The file or the image cannot be read, it has no such weights, or they are of another network. Nothing
            is written then.
    """
    reading, source = weights_reader(path, source, weights)
    if source is None or config is None:
        source, config = inferred(reading(None).tensors, source, config, classes)
    net = network_of(config, classes)  # before the file is read: whether it can be made
    pixels = read_image_for(net, image) if image else None
    read = reading(source)
    classes = classes or classes_of(net, read.tensors, source)
    net = net if classes == net.recipe["classes"] else network_of(config, classes)
    try:
        found = match(net, read.tensors, source)
    except UserError as error:
        raise UserError(f"{error}{fitting_flags(read.tensors, source)}") from None
    save_match(found, output)
    _tell_conventions(net, read.tensors, source)
    check = None
    if pixels is not None:
        load_params(net, output)
        check = check_conversion(net, path, pixels, source, found.tensors)
    return ImportedWeights(net, read, found, check, source, config)


def export_weights(
    path: str | Path,
    output: str | Path,
    library: str,
    config: ModelConfig | None,
    classes: int | None = None,
    image: str | Path | None = None,
) -> ExportedWeights:
    """Write weights of ours as a file of another library.

    Args:
        path: Parameter file, run folder, or name of a published network.
        output: File to write, which ends in .safetensors, .pth or .pt.
        library: "timm" or "torchvision".
        config: The network of a parameter file; run folders and published networks know theirs.
        classes: Number of classes (default: as many as the weights have).
        image: Image file to compare both networks on.

    Raises:
        UserError: A file cannot be read, or the library has no network like this. Nothing is written then.
    """
    net, card = _trained_network(path, config, classes)
    pixels = read_image_for(net, image, card) if image else None
    there = needed_counterpart(net, library)
    state = save_reference(net, output, library)
    check = check_conversion(net, output, pixels, library) if pixels is not None else None
    return ExportedWeights(net, there, len(state), check)


def _tell_conventions(net: mx.gluon.HybridBlock, tensors: Tensors, source: str) -> None:
    """Say with which options the network computes as it did there, where it has others."""
    wanted, own = CONVENTIONS.get(source, {}), net.recipe["options"]
    lacking = {key: value for key, value in wanted.items() if own.get(key) != value}
    if isinstance(net, Detector) and lacking:
        words = " ".join(f"{key}={str(value).lower()}" for key, value in lacking.items())
        get_logger().warning("%s's detectors compute with option model_options %s: give these to have its numbers",
                             source, words)  # fmt: skip
    if source in LIBRARIES and counterpart(net, source) is None:
        theirs = infer_config(tensors, source)
        if theirs:
            get_logger().warning("%s's network of these tensors computes with %s: give these to have its numbers",
                                 source, flags(theirs))  # fmt: skip


def _trained_network(
    path: str | Path, config: ModelConfig | None, classes: int | None
) -> tuple[mx.gluon.HybridBlock, Card | None]:
    """(network with the weights at `path`, its `Card` or None)."""
    if Path(path).is_dir():
        return load_run(path)
    if not Path(path).exists() and str(path) in catalogue():
        entry = catalogue()[str(path)]
        return card_network(entry.card, entry.path(), f"card of {entry.name}"), entry.card
    if config is None:
        raise UserError(f"name the network of {path} with option model; a run folder knows its own")
    net = network_of(config, classes)
    if not classes:
        shapes = {name: value.shape for name, value in read_params(path).items()}
        found = [shapes[name][0] for name in classifier(net, net.recipe["classes"]) if name in shapes]
        net = network_of(config, found[0]) if found else net
    load_params(net, path)
    return net, None
