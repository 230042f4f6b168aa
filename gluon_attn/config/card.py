"""What someone who holds only the weights needs to know: the network, its input, its classes."""

from dataclasses import dataclass

from .base import Config, at_least, option


@dataclass(frozen=True)
class Card(Config):
    """Goes with every run folder (card.json) and every exported network.

    `get_model(card.model, card.classes, plan=card.plan, **card.options)` rebuilds the network. Images are
    RGB, divided by 255, minus `mean`, over `std`, channels first.
    """

    model: str = option("", "name of the network")
    classes: int = option(1000, "number of outputs", check=at_least(1))
    plan: dict | None = option(None, "plain data of its plan; None where the name says it all")
    options: dict = option({}, "the network's own options")
    dataset: str = option("", "data set that it was trained on")
    class_names: tuple[str, ...] = option((), "a name for each output")
    input_shape: tuple[int, ...] = option((3, 224, 224), "C,H,W of the input")
    mean: tuple[float, ...] = option((0.485, 0.456, 0.406), "subtracted from images of range 0 to 1")
    std: tuple[float, ...] = option((0.229, 0.224, 0.225), "divides what is left")
    preprocess: bool = option(False, "the graph takes raw images: uint8, N,H,W,C")
    dynamic: bool = option(False, "the graph takes images of other sizes, too")
