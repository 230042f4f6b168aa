"""Check converted weights: one image through a network of ours and the same network of another library."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import mxnet as mx
import numpy as np

from ..config.card import Card
from ..convert.counterpart import counterpart
from ..data.image_file import read_image
from ..data.transforms import normalize
from ..deploy.evaluate import probabilities, top
from ..models.factory import model_info

_SHOWN = 5


@dataclass(frozen=True)
class ConversionCheck:
    """The predictions of both networks for an image.

    Attributes:
        ours: (class index, probability) of the five most probable classes, in falling order.
        theirs: Those of the other library's network; empty where it cannot run.
        made_by: The call that makes the other network.
        difference: Largest difference of the logits, relative to the largest logit; None where the other cannot run.
        reason: Why the other network cannot run.
    """

    ours: list[tuple[int, float]]
    theirs: list[tuple[int, float]]
    made_by: str = ""
    difference: float | None = None
    reason: str = ""


def read_image_for(net: mx.gluon.HybridBlock, path: str | Path, card: Card | None = None) -> np.ndarray:
    """Read an image file as the input of a network.

    Args:
        net: A network of ours.
        path: The image file.
        card: The network's `Card`, if it has one (default: one with the input size of the model).

    Returns:
        (1,3,H,W) float32, normalized.

    Raises:
        UserError: The file cannot be read.
    """
    side = model_info(net.recipe["model"]).input_size
    card = card or Card(input_shape=(3, side, side))
    height, width = card.input_shape[1:]
    return normalize(read_image(path, height, width)[None], card.mean, card.std)


def check_conversion(
    net: mx.gluon.HybridBlock,
    path: str | Path,
    image: np.ndarray,
    library: str,
    tensors: Mapping[str, np.ndarray] | None = None,
) -> ConversionCheck:
    """Compare a network with its counterpart in another library.

    Args:
        net: A network of ours, with weights.
        path: File of weights for the counterpart.
        image: (1,3,H,W) float32, normalized.
        library: "timm", "torchvision", "gluoncv" or another source of weights, see `convert.sources`.
        tensors: The weights for the counterpart, where they were read already (default: those in the file).
    """
    ours = net(mx.nd.array(image)).asnumpy()
    made = counterpart(net, library)
    if made is None:
        return ConversionCheck(_best(ours), [], reason=f"no package has this network of {library}")
    theirs = made.logits(path, image, tensors)
    if theirs is None:
        return ConversionCheck(_best(ours), [], str(made), reason=f"{library} is not installed")
    difference = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
    return ConversionCheck(_best(ours), _best(theirs), str(made), difference)


def _best(logits: np.ndarray) -> list[tuple[int, float]]:
    found = probabilities(logits)[0]
    return [(int(i), float(found[i])) for i in top(logits, _SHOWN)[0]]
