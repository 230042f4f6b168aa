"""One way to use a network, whether it is a run folder, a symbol file, an ONNX or an OpenVINO file."""

from pathlib import Path

import mxnet as mx
import numpy as np

from ..data.transforms import normalize
from ..models.catalogue import catalogue
from ..utils.errors import UserError
from ..utils.files import read_json
from . import onnx, openvino, symbol
from .load_run import CARD, card_network, load_run

_ENDINGS = f"a NAME{symbol.ENDING} or a NAME{onnx.ENDING} or a NAME{openvino.ENDING}"


class Predictor:
    """A network ready for images. `kind` is "run", "params", "symbol", "onnx" or "openvino"; `card` its `Card`."""

    def __init__(self, kind, card, forward):
        self.kind = kind
        self.card = card
        self._forward = forward

    def predict(self, images, batch_size=128):
        """Logits (N, classes) float32 of images N,H,W,C uint8 RGB of the card's size, `batch_size` at a time."""
        channels, height, width = self.card.input_shape
        if self.card.dynamic and images.ndim == 4:
            height, width = images.shape[1:3]
        if images.dtype != np.uint8 or images.shape[1:] != (height, width, channels):
            raise UserError(
                f"the network takes images of {height}x{width}x{channels} uint8, got {images.shape[1:]} {images.dtype}"
            )
        parts = [self._batch(images[i : i + batch_size]) for i in range(0, len(images), batch_size)]
        return np.concatenate(parts) if parts else np.zeros((0, self.card.classes), np.float32)

    def inputs(self, images):
        """What the graph takes, of images N,H,W,C uint8: these, or with no preprocessing in it N,C,H,W float32."""
        return graph_inputs(self.card, images)

    def forward(self, inputs):
        """Logits (N, classes) float32 of such inputs, all in one pass."""
        return self._forward(inputs)

    def _batch(self, images):
        return self._forward(self.inputs(images))


def graph_inputs(card, images):
    """Images N,H,W,C uint8 as a graph of this `Card` takes them."""
    return np.ascontiguousarray(images if card.preprocess else normalize(images, card.mean, card.std))


def load(target, input_size=None):
    """The `Predictor` of a run folder, a published network, or an exported form.

    Such a form is its folder, NAME-symbol.json (with its companions), NAME.onnx or NAME.xml.
    input_size: height and width of the images, if they are to be other than the network's own; run folders only.
    Anything else, and files that are damaged or do not belong together, is a `UserError`.
    """
    path = _form_file(Path(target))
    if path.is_dir():
        return of_network(*load_run(path, input_size))
    made = _exported(path) if path.exists() else _published(path)
    if input_size not in (None, made.card.input_shape[1]):
        size = "x".join(map(str, made.card.input_shape[1:]))
        raise UserError(f"{path} takes {size} images only: leave --input-size out, or name the run folder")
    return made


def of_published(entry):
    """The `Predictor` of a `catalogue.Published`."""
    return of_network(card_network(entry.card, entry.path(), f"card of {entry.name}"), entry.card, "published")


def _published(path):
    entry = catalogue().get(str(path))
    if entry is None:
        raise UserError(f"{path} does not exist; name a run folder, {_ENDINGS}, or a published network")
    return of_published(entry)


def _exported(path):
    if path.name.endswith(symbol.ENDING):
        graph = symbol.read_symbol(path)
        return Predictor("symbol", graph.card, _gluon(symbol.block(graph), graph.input_dtype))
    if path.name.endswith(onnx.ENDING):
        return _of_onnx(path)
    if path.name.endswith(openvino.ENDING):
        forward, card, _ = openvino.open_model(path)
        return Predictor("openvino", card, forward)
    raise UserError(f"{path} is not a run folder, {_ENDINGS}")


def _form_file(path):
    """The file that stands for all in the folder of an exported form; any other path stays as it is."""
    if not (path / CARD).is_file():
        return path
    described = read_json(path / CARD)
    name = described.get("file") if isinstance(described, dict) else None
    return path / Path(name).name if isinstance(name, str) else path


def of_network(net, card, kind="run"):
    """The `Predictor` of a Gluon network that takes normalised images, on the device where it is."""
    return Predictor(kind, card, _gluon(net, np.float32))


def _gluon(net, dtype):
    device = next(iter(net.collect_params().values())).list_ctx()[0]
    return lambda batch: net(mx.nd.array(batch, ctx=device, dtype=dtype)).asnumpy()


def _of_onnx(path):
    session, card = onnx.open_session(path)
    return Predictor("onnx", card, lambda batch: session.run([onnx.OUTPUT], {onnx.INPUT: batch})[0])
