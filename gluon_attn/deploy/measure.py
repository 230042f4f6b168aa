"""One measurement in a process of its own: `python -m gluon_attn.deploy.measure ORDER`, the order being JSON.

Prints one JSON object: {"kind", "precision", "seconds": of each pass}, or {"error": one line}.
"""

import json
import sys
import time
from pathlib import Path

from ..utils.errors import UserError


def timed(predictor, batch, repeat, warm_up):
    """Seconds of each of `repeat` passes of `batch` images, from a NumPy array to a NumPy array, after `warm_up`."""
    from .export import random_images

    inputs = predictor.inputs(random_images(predictor.card, batch))
    seconds = []
    for number in range(warm_up + repeat):
        start = time.perf_counter()
        predictor.forward(inputs)
        if number >= warm_up:
            seconds.append(time.perf_counter() - start)
    return seconds


def opened(target):
    """The `Predictor` of what `predictor.load` takes, or of a model's name: that network with random weights."""
    from ..models.factory import list_models
    from . import predictor

    if Path(target).exists():
        return predictor.load(target)
    if target in list_models():
        return _random(target)
    try:
        return predictor.load(target)
    except UserError as error:
        raise UserError(f"{error}, or a model") from None


def _random(name):
    import mxnet as mx

    from ..config.card import Card
    from ..models.factory import get_model, model_info
    from .predictor import of_network

    info = model_info(name)
    net = get_model(name, info.classes)
    net.initialize(mx.init.MSRAPrelu())
    net.hybridize(static_alloc=True, static_shape=True)
    return of_network(net, Card(**net.recipe, input_shape=(3, info.input_size, info.input_size)), "network")


def precision(target):
    """The number type that the card beside an exported file names; float32 where there is none."""
    path = Path(target)
    card = (path if path.is_dir() else path.parent) / "card.json"
    try:
        return str(json.loads(card.read_text(encoding="utf-8")).get("precision", "float32"))
    except (OSError, ValueError, AttributeError):
        return "float32"


def main(order):
    """Answer one order."""
    try:
        found = opened(order["target"])
        seconds = timed(found, order["batch"], order["repeat"], order["warm_up"])
        return {"kind": found.kind, "precision": precision(order["target"]), "seconds": seconds}
    except UserError as error:
        return {"error": str(error)}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
