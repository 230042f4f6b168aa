"""One way to use a network, whether it is a run folder, a symbol file or an ONNX file."""

from pathlib import Path

import mxnet as mx
import numpy as np

from ..data.transforms import normalize
from ..models.catalogue import catalogue
from ..utils.errors import UserError
from . import onnx, symbol
from .run import card_network, load_run


class Predictor:
    """A network ready for images. `kind` is "run", "params", "symbol" or "onnx"; `card` the network's `Card`."""

    def __init__(self, kind, card, forward):
        self.kind = kind
        self.card = card
        self._forward = forward

    def predict(self, images, batch_size=128):
        """Logits (N, classes) float32 of images N,H,W,C uint8 RGB of the card's size, `batch_size` at a time."""
        channels, height, width = self.card.input_shape
        if images.dtype != np.uint8 or images.shape[1:] != (height, width, channels):
            raise UserError(
                f"the network takes images of {height}x{width}x{channels} uint8, got {images.shape[1:]} {images.dtype}"
            )
        parts = [self._batch(images[i : i + batch_size]) for i in range(0, len(images), batch_size)]
        return np.concatenate(parts) if parts else np.zeros((0, self.card.classes), np.float32)

    def _batch(self, images):
        if not self.card.preprocess:
            images = normalize(images, self.card.mean, self.card.std)
        return self._forward(np.ascontiguousarray(images))


def load(target, input_size=None):
    """The `Predictor` of a run folder, a NAME-symbol.json (with its companions), a NAME.onnx or a published network.

    input_size: height and width of the images, if they are to be other than the network's own; run folders only.
    Anything else, and files that are damaged or do not belong together, is a `UserError`.
    """
    path = Path(target)
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
        kinds = f"a run folder, a NAME{symbol.ENDING}, a NAME{onnx.ENDING} or a published network"
        raise UserError(f"{path} does not exist; name {kinds}")
    return of_published(entry)


def _exported(path):
    if path.name.endswith(symbol.ENDING):
        graph = symbol.read_symbol(path)
        return Predictor("symbol", graph.card, _gluon(symbol.block(graph), graph.input_dtype))
    if path.name.endswith(onnx.ENDING):
        return _of_onnx(path)
    raise UserError(f"{path} is not a run folder, a NAME{symbol.ENDING} or a NAME{onnx.ENDING}")


def of_network(net, card, kind="run"):
    """The `Predictor` of a Gluon network that takes normalised images, on the device where it is."""
    return Predictor(kind, card, _gluon(net, np.float32))


def _gluon(net, dtype):
    device = next(iter(net.collect_params().values())).list_ctx()[0]
    return lambda batch: net(mx.nd.array(batch, ctx=device, dtype=dtype)).asnumpy()


def _of_onnx(path):
    session, card = onnx.open_session(path)
    return Predictor("onnx", card, lambda batch: session.run([onnx.OUTPUT], {onnx.INPUT: batch})[0])
