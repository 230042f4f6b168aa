"""One way to use a network, whether it is a run folder, a symbol file, an ONNX or an OpenVINO file."""

from collections.abc import Callable
from pathlib import Path

import mxnet as mx
import numpy as np

from ..config.card import Card
from ..data.transforms import normalize
from ..models.catalogue import Published, catalogue
from ..utils.errors import UserError
from ..utils.files import read_json, sha256
from ..utils.seed import generator
from . import onnx, openvino, symbol
from .graph import INPUT, OUTPUT
from .load_run import CARD, card_network, load_run, refuse_detector

_ENDINGS = f"a NAME{symbol.ENDING} or a NAME{onnx.ENDING} or a NAME{openvino.ENDING}"


class Predictor:
    """A network ready for images.

    Args:
        kind: What the network was loaded from.
        card: Its `Card`.
        forward: Inputs of the graph -> logits (N,classes) float32.

    Attributes:
        kind: "run", "params", "published", "network", "symbol", "onnx" or "openvino".
        card: Its `Card`.
    """

    def __init__(self, kind: str, card: Card, forward: Callable[[np.ndarray], np.ndarray]) -> None:
        self.kind = kind
        self.card = card
        self._forward = forward

    def predict(self, images: np.ndarray, batch_size: int = 128) -> np.ndarray:
        """Compute the logits of images.

        Args:
            images: N,H,W,C uint8 RGB of the card's size.
            batch_size: Images per pass.

        Returns:
            N,classes float32.

        Raises:
            UserError: The images have another size or dtype.
        """
        channels, height, width = self.card.input_shape
        if self.card.dynamic and images.ndim == 4:
            height, width = images.shape[1:3]
        if images.dtype != np.uint8 or images.shape[1:] != (height, width, channels):
            raise UserError(
                f"the network takes images of {height}x{width}x{channels} uint8, got {images.shape[1:]} {images.dtype}"
            )
        parts = [self._batch(images[i : i + batch_size]) for i in range(0, len(images), batch_size)]
        return np.concatenate(parts) if parts else np.zeros((0, self.card.classes), np.float32)

    def inputs(self, images: np.ndarray) -> np.ndarray:
        """Turn images (N,H,W,C) uint8 into inputs of the graph, see `graph_inputs`."""
        return graph_inputs(self.card, images)

    def forward(self, inputs: np.ndarray) -> np.ndarray:
        """Logits (N,classes) float32 of `inputs` of the graph, in one pass."""
        return self._forward(inputs)

    def _batch(self, images: np.ndarray) -> np.ndarray:
        return self._forward(self.inputs(images))


def graph_inputs(card: Card, images: np.ndarray) -> np.ndarray:
    """Turn images into inputs of a graph.

    Args:
        card: `Card` of the graph.
        images: (N,H,W,C) uint8 RGB.

    Returns:
        The images themselves if the graph preprocesses them, else (N,C,H,W) float32, normalized.
    """
    return np.ascontiguousarray(images if card.preprocess else normalize(images, card.mean, card.std))


def random_images(card: Card, count: int = 64) -> np.ndarray:
    """Random images of the size in `card`, the same at each call: (count,H,W,C) uint8."""
    channels, height, width = card.input_shape
    return generator(0).integers(0, 256, (count, height, width, channels), dtype=np.uint8)


def load(target: Path | str, input_size: int | None = None) -> Predictor:
    """Open a trained network.

    Args:
        target: A run folder, the name of a published network, a deploy bundle, NAME-symbol.json (with its companions),
            NAME.onnx or NAME.xml.
        input_size: Height and width of the images, if they are to be other than the network's own; run folders only.

    Raises:
        UserError: The target is anything else, or its files are damaged or do not belong together.
    """
    path = _main_file(Path(target))
    if path.is_dir():
        net, card = load_run(path, input_size)
        refuse_detector(card, str(path))
        return of_network(net, card)
    check_bundle(path.parent)
    made = _exported(path) if path.exists() else _published(path)
    if made.card.detection is not None:
        raise UserError(f"{path} is a graph of a detector: name its folder, {path.parent}")
    if input_size not in (None, made.card.input_shape[1]):
        size = "x".join(map(str, made.card.input_shape[1:]))
        raise UserError(f"{path} takes {size} images only: leave option input_size out, or name the run folder")
    return made


def of_published(entry: Published) -> Predictor:
    """The `Predictor` of a published network."""
    return of_network(card_network(entry.card, entry.path(), f"card of {entry.name}"), entry.card, "published")


def of_network(net: mx.gluon.HybridBlock, card: Card, kind: str = "run") -> Predictor:
    """The `Predictor` of a Gluon network.

    Args:
        net: Takes normalized images, (N,C,H,W) float32; it computes on the device where it is.
        card: Its `Card`.
        kind: What the network was loaded from, see `Predictor`.
    """
    return Predictor(kind, card, _gluon_forward(net, np.float32))


def _published(path: Path) -> Predictor:
    entry = catalogue().get(str(path))
    if entry is None:
        raise UserError(f"{path} does not exist; name a run folder, {_ENDINGS}, or a published network")
    return of_published(entry)


def _exported(path: Path) -> Predictor:
    if path.name.endswith(symbol.ENDING):
        graph = symbol.read_symbol(path)
        return Predictor("symbol", graph.card, _gluon_forward(symbol.block(graph), graph.input_dtype))
    if path.name.endswith(onnx.ENDING):
        session, card = onnx.open_session(path)
        return Predictor("onnx", card, lambda batch: session.run([OUTPUT], {INPUT: batch})[0])
    if path.name.endswith(openvino.ENDING):
        forward, card, _ = openvino.open_model(path)
        return Predictor("openvino", card, forward)
    raise UserError(f"{path} is not a run folder, {_ENDINGS}")


def _main_file(path: Path) -> Path:
    """The file that stands for all in a deploy bundle; any other path stays as it is."""
    if not (path / CARD).is_file():
        return path
    described = read_json(path / CARD)
    name = described.get("file") if isinstance(described, dict) else None
    return path / Path(name).name if isinstance(name, str) else path


def check_bundle(folder: Path) -> None:
    """Raise a `UserError` unless the files of a deploy bundle are those whose SHA-256 its card.json has."""
    described = read_json(folder / CARD) if (folder / CARD).is_file() else None
    hashes = described.get("sha256") if isinstance(described, dict) else None
    if not isinstance(hashes, dict):  # no bundle
        return
    for name, wanted in hashes.items():
        path = folder / Path(name).name
        if not path.is_file():
            raise UserError(f"{path} is missing, which {folder / CARD} names: export the bundle again")
        if sha256(path) != wanted:
            raise UserError(f"{path} is not what was exported (SHA-256 in {folder / CARD}): export the bundle again")


def _gluon_forward(net: mx.gluon.Block, dtype: type[np.generic]) -> Callable[[np.ndarray], np.ndarray]:
    device = next(iter(net.collect_params().values())).list_ctx()[0]
    return lambda batch: net(mx.nd.array(batch, ctx=device, dtype=dtype)).asnumpy()
