"""What `runs.export` exports and verifies with: a network, its card, test and calibration images."""

from pathlib import Path
from typing import Any, NamedTuple

import mxnet as mx
import numpy as np

from ..config.card import Card
from ..data.base import Dataset
from ..deploy.load_run import load_card, load_run
from ..deploy.verify import ExportChecks
from ..models.factory import get_model, list_models, model_info
from ..utils.errors import UserError
from ..utils.log import get_logger
from ..utils.seed import generator
from .evaluation_data import open_test_set
from .network import make_card, named_network

_COMPARED_IMAGES = 256


class TrainedNetwork(NamedTuple):
    """A network to export.

    Attributes:
        net: With its weights.
        card: Its `Card`.
        source: The data set with its test images, or None.
        name: Name of the files.
        output: Folder where they go by default.
    """

    net: mx.gluon.HybridBlock
    card: Card
    source: Dataset | None
    name: str
    output: Path


def is_model_name(target: str | Path) -> bool:
    """Whether `target` is a model's name and no path."""
    return str(target) in list_models() and not Path(target).exists()


def open_network(
    target: str | Path,
    params: str | Path | None,
    dataset: str | None,
    input_size: int | None,
    data: dict[str, Any],
) -> TrainedNetwork:
    """Open a run folder, or a named model with a parameter file.

    Args:
        target: Run folder or name of a model.
        params: Parameter file of the model; None: the published one.
        dataset: Data set whose images are used; None: the one that the network was trained on.
        input_size: Height and width of the images of a named model.
        data: Options of the data, data_dir and rec_val; None leaves one as it is.
    """
    if is_model_name(target):
        net, card, source = _named(str(target), params, dataset, input_size, data)
        return TrainedNetwork(net, card, source, str(target), Path("runs") / target / "export")
    if params or input_size:
        raise UserError("option params and option input_size go with the name of a model, not with a run folder")
    net, card = load_run(target)
    source = _test_set(target, card, dataset, data)
    return TrainedNetwork(net, card, source, Path(target).resolve().name, Path(target) / "export")


def _named(
    name: str, params: str | Path | None, dataset: str | None, input_size: int | None, data: dict[str, Any]
) -> tuple[mx.gluon.HybridBlock, Card, Dataset | None]:
    """(network, `Card`, `Dataset` or None); without a data set the model has the classes that it was designed for."""
    if dataset or any(data.values()):
        net, source = named_network(name, params or True, dataset, {**data, "input_size": input_size})
        return net, make_card(net, source), source
    info = model_info(name)
    side = input_size or info.input_size
    sized: dict[str, Any] = {"input_size": side} if "input_size" in info.options() else {}
    net = get_model(name, info.classes, pretrained=params or True, **sized)
    return net, Card(**net.recipe, input_shape=(3, side, side)), None


def _test_set(target: str | Path, card: Card, dataset: str | None, data: dict[str, Any]) -> Dataset | None:
    """The `Dataset` of a run's test images; None, with a warning, where its own data set is not at hand."""
    try:
        return open_test_set(target, card, dataset, **data)
    except UserError as error:
        if dataset or any(data.values()):
            raise
        get_logger().warning("the check uses random images: %s", error)
        return None


def images_to_compare(run: str | Path, data_dir: str | Path | None = None) -> np.ndarray | None:
    """Some test images of a run, (N,H,W,C) uint8; None, with a warning, where its data set cannot be read.

    Args:
        run: The run folder.
        data_dir: Folder of the data set (default: the one that the run was trained with).
    """
    source = _test_set(run, load_card(run), None, {"data_dir": data_dir})
    if source is None:
        return None
    return source.val.take(range(min(len(source.val), _COMPARED_IMAGES)), None)[0]


def bundle_checks(source: Dataset | None, calibration_images: int, max_drop: float, method: str) -> ExportChecks:
    """What deploy bundles are verified and calibrated with.

    Args:
        source: The `Dataset` of the images, or None.
        calibration_images: How many training images int8 is calibrated with; 0: none are read.
        max_drop: Per cent of accuracy that a target may lose.
        method: Quantization ranges of MXNet's int8.
    """
    if source is None:
        return ExportChecks(max_drop=max_drop / 100, calibration_method=method)
    images = read_calibration_images(source, calibration_images) if calibration_images else None
    return ExportChecks(
        test=source.val, dataset=source.name, calibration=images, max_drop=max_drop / 100, calibration_method=method
    )


def read_calibration_images(source: Dataset, count: int) -> np.ndarray:
    """Images to calibrate int8 with, evenly from the whole training set; test images where only these can be read.

    Args:
        source: The data set.
        count: How many.

    Returns:
        (N,H,W,C) uint8; unreadable images are left out.

    Raises:
        UserError: No image can be read.
    """
    for subset, what in ((source.train, "training"), (source.val, "test")):
        try:
            chosen = np.unique(np.linspace(0, len(subset) - 1, count).astype(int))
            images = subset.take(chosen, generator(0))[0]
        except UserError as error:
            get_logger().warning("no %s images to calibrate with: %s", what, error)
            continue
        if len(images):
            return images
    raise UserError("int8 is calibrated with images, and none of the data set can be read")
