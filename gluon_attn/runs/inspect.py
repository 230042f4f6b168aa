"""Look inside a trained network: its gates and Grad-CAM on images, and statistics of the gates over a data set."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..utils.errors import UserError
from ..utils.suggest import did_you_mean

if TYPE_CHECKING:
    import mxnet as mx

    from ..config.card import Card
    from ..data.base import Dataset
    from .inspection import Inspection


def inspect(
    target: str | Path,
    images: Sequence[str | Path] = (),
    output: str | Path | None = None,
    *,
    class_name: str | int | None = None,
    dataset: str | None = None,
    data_dir: str | Path | None = None,
    count: int = 500,
    top: int = 3,
) -> "Inspection":
    """Show what the attention of a network does, as pictures, an HTML page and JSON.

    For each image a contact sheet: the most probable classes, Grad-CAM, the maps of the spatial gates, the factors of
    the channels. For a data set: how the gates vary from image to image, and whether they depend on the class.

    Args:
        target: Run folder or published network.
        images: Image files, folders and patterns; each image is scaled to the network's input size.
        output: Folder to write (default: inspect/NAME). One with an earlier inspection is replaced.
        class_name: Class that Grad-CAM asks about, its name or number (default: the most probable one of each image).
        dataset: Data set whose test images the statistics are over.
        data_dir: Folder of the data set's files.
        count: Most images of the data set, the same number of each class as far as it has them (default 500).
        top: How many of the most probable classes to show (default 3).

    Returns:
        The `Inspection`.

    Raises:
        UserError: The network, an image or the data set cannot be read, the network has no such class, it has no gates
            to take statistics of, or the folder cannot be written or holds something else.
    """
    from ..analyze.gate_statistics import Sites
    from ..deploy.load_run import refuse_detector
    from .inspection import Inspection, gate_statistics
    from .pages.inspection import check_folder, write_inspection

    if not (images or dataset):
        raise UserError("name images, or a data set with option dataset")
    net, card = open_network(target)
    refuse_detector(card, str(target))
    names = tuple(card.class_names if len(card.class_names) == card.classes else map(str, range(card.classes)))
    label = None if class_name is None else _class_index(str(class_name), names)
    pixels = _read(images, card)
    source = _open(target, card, dataset, data_dir)
    folder = Path(output) if output is not None else Path("inspect", Path(target).resolve().name)
    check_folder(folder)
    sites = Sites(net)
    looks = {name: _look(net, card, one, names, label, top, sites) for name, one in pixels.items()}
    statistics, seen = gate_statistics(net, card, source, count, sites) if source else ([], 0)
    if source and not statistics and not looks:
        raise UserError(f"{target} has no gates to take statistics of: leave option dataset out, and name images")
    gates = len(statistics or next(iter(looks.values())).gates)
    set_name = source.name if source else None
    found = Inspection(str(target), folder, looks, set_name, seen, statistics, names, gates)
    write_inspection(found)
    return found


def open_network(target: str | Path) -> "tuple[mx.gluon.HybridBlock, Card]":
    """The network and the `Card` of a run folder or a published network.

    Raises:
        UserError: it is neither.
    """
    from ..deploy.load_run import card_network, load_run
    from ..models.catalogue import catalogue
    from ..models.factory import list_models
    from .folder import RunFolder

    path, folder = Path(target), RunFolder(target)
    if path.is_dir() and (folder.best_params.exists() or not folder.card_file.exists() or folder.config_file.exists()):
        return load_run(path)
    if path.exists():
        raise UserError(f"{target} is no run folder; an exported file does not record its gates: name the run folder")
    known = catalogue()
    if str(target) in known:
        entry = known[str(target)]
        return card_network(entry.card, entry.path(), f"card of {entry.name}"), entry.card
    if str(target) in list_models():
        raise UserError(
            f"{target} is a model without weights; name a run folder, or a published network: "
            "`gluon-attn models --pretrained` lists them"
        )
    near = did_you_mean(str(target), known)
    raise UserError(f"{target} does not exist; name a run folder or a published network{f'; {near}' if near else ''}")


def _class_index(name: str, names: Sequence[str]) -> int:
    if name in names:
        return names.index(name)
    if name.isdecimal() and int(name) < len(names):
        return int(name)
    hint = did_you_mean(name, names) or f"it has {len(names)}, such as {', '.join(names[:3])}"
    raise UserError(f"the network has no class {name!r}; {hint}")


def _read(images: Sequence[str | Path], card: "Card") -> dict[str, Any]:
    """Image file -> pixels."""
    from ..data.image_file import resized
    from ..data.image_inputs import image_inputs, read_inputs

    height, width = card.input_shape[1:]
    return {one.name: resized(pixels, height, width) for one, pixels in read_inputs(image_inputs(images))}


def _open(target: str | Path, card: "Card", dataset: str | None, data_dir: str | Path | None) -> "Dataset | None":
    from .evaluation_data import open_test_set

    if dataset is None and data_dir is not None:
        raise UserError("option data_dir needs option dataset")
    return open_test_set(target, card, dataset, data_dir=data_dir) if dataset else None


def _look(net, card, pixels, names, label, top, sites):
    """The `Look` of one image."""
    from ..analyze.gate_plots import Look
    from ..analyze.gradcam import grad_cam, last_pooling
    from ..deploy import evaluate
    from ..nn.recording import recording
    from .inspection import network_inputs

    batch, gates = network_inputs(card, pixels[None]), []
    with recording(net, lambda gate: gates.append((sites.of(gate), gate.per_image()[0]))):
        probabilities = evaluate.probabilities(net(batch).asnumpy())
    best = evaluate.top(probabilities, top)[0]
    asked = int(best[0]) if label is None else label
    pooling = last_pooling(net, batch)
    cam = grad_cam(net, batch, [asked], pooling)[0] if pooling else None
    return Look(pixels, [(names[i], float(probabilities[0, i])) for i in best], cam, names[asked], gates)
