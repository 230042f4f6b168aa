"""One measurement in a process of its own: `python -m gluon_attn.deploy.measure ORDER`, the order being JSON.

Prints one JSON object: {"kind", "precision", "seconds": of each pass}, or {"error": one line}.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..utils.errors import UserError

if TYPE_CHECKING:
    from .predictor import Predictor


def pass_seconds(predictor: "Predictor", batch: int, repeat: int, warm_up: int) -> list[float]:
    """Measure passes of random images through a network, NumPy arrays in and out.

    Args:
        predictor: The network.
        batch: Images per pass.
        repeat: Passes that count.
        warm_up: Passes before these.

    Returns:
        Seconds of each pass that counts.
    """
    from .predictor import random_images

    inputs = predictor.inputs(random_images(predictor.card, batch))
    return seconds_of(lambda: predictor.forward(inputs), repeat, warm_up)


def seconds_of(compute: Callable[[], Any], repeat: int, warm_up: int) -> list[float]:
    """Seconds of each of `repeat` calls, after `warm_up` others."""
    found = []
    for number in range(warm_up + repeat):
        start = time.perf_counter()
        compute()
        if number >= warm_up:
            found.append(time.perf_counter() - start)
    return found


def open_target(target: str) -> "Predictor":
    """The `Predictor` of what `predictor.load` takes, or of a model's name: that network with random weights."""
    from ..models.factory import list_models
    from . import predictor

    if not Path(target).exists() and target in list_models():
        return _random_weights(target)
    try:
        return predictor.load(target)
    except UserError as error:
        raise UserError(str(error) if Path(target).exists() else f"{error}, or a model") from None


def _random_weights(name: str) -> "Predictor":
    import mxnet as mx

    from ..config.card import Card
    from ..models.factory import get_model, model_info
    from .predictor import of_network

    info = model_info(name)
    net = get_model(name, info.classes)
    net.initialize(mx.init.MSRAPrelu())
    net.hybridize(static_alloc=True, static_shape=True)
    return of_network(net, Card(**net.recipe, input_shape=(3, info.input_size, info.input_size)), "network")


def card_precision(target: Path | str) -> str:
    """The precision in the card of a bundle, or of the folder that file `target` is in; float32 without a card."""
    path = Path(target)
    card = (path if path.is_dir() else path.parent) / "card.json"
    try:
        return str(json.loads(card.read_text(encoding="utf-8")).get("precision", "float32"))
    except (OSError, ValueError, AttributeError):
        return "float32"


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Answer one `order`: {"target", "batch", "repeat", "warm_up"}, see the head of this file."""
    try:
        found = open_target(order["target"])
        seconds = pass_seconds(found, order["batch"], order["repeat"], order["warm_up"])
        return {"kind": found.kind, "precision": card_precision(order["target"]), "seconds": seconds}
    except UserError as error:
        return {"error": str(error)}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
