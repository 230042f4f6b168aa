"""Evaluate a run folder, an exported file, a published network or a named model."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..utils.errors import UserError
from ..utils.log import get_logger
from ..utils.paths import expanded

if TYPE_CHECKING:
    from ..deploy.evaluate import Score
    from ..deploy.predictor import Predictor


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Attributes:
        target: The network, as it was named.
        kind: `Predictor.kind`.
        dataset: Name of the data set.
        input_size: Height and width of the images.
        crop_ratio: Centre crop over the shorter side, where it was given.
        score: The `deploy.evaluate.Score`.
        class_names: Names of the data set's classes.
    """

    target: str
    kind: str
    dataset: str
    input_size: int
    crop_ratio: float | None
    score: "Score"
    class_names: tuple[str, ...]

    @property
    def accuracy(self) -> float:
        """Top-1 accuracy from 0 to 1."""
        return self.score.correct / self.images

    @property
    def top5(self) -> float | None:
        """Top-5 accuracy from 0 to 1; None up to 5 classes."""
        return None if self.score.among_five is None else self.score.among_five / self.images

    @property
    def images(self) -> int:
        """Number of test images."""
        return self.score.images

    def to_dict(self, per_class: bool = False) -> dict[str, Any]:
        """Plain data; with `per_class` also the accuracy of each class, the worst first, as "classes"."""
        from ..deploy.evaluate import by_class

        found: dict[str, Any] = {"target": self.target, "kind": self.kind, "dataset": self.dataset}
        found |= {"input_size": self.input_size, **self.score.to_dict()}
        if self.crop_ratio:
            found["crop_ratio"] = self.crop_ratio
        if per_class:
            found["classes"] = by_class(self.score.confusion, self.class_names)
        return found


def evaluate(
    target: str | Path,
    *,
    params: str | Path | None = None,
    dataset: str | None = None,
    data_dir: str | Path | None = None,
    rec_val: str | Path | None = None,
    input_size: int | None = None,
    crop_ratio: float | None = None,
    batch_size: int = 128,
) -> Evaluation:
    """Evaluate a trained network on test images.

    Args:
        target: Run folder, deploy bundle or its file, published network, or with `params` the name of a model.
        params: Parameter file of the model.
        dataset: Data set (default: the one that the network was trained on).
        data_dir: Folder of the data set's files.
        rec_val: Record file of photographs.
        input_size: Height and width of the images (default: the network's own).
        crop_ratio: Centre crop over the shorter side.
        batch_size: Images per pass.

    Returns:
        The `Evaluation`, with accuracy, top5, images and more.

    Raises:
        UserError: The network or the images cannot be read, or do not fit together.
    """
    from ..deploy.evaluate import evaluate_predictor
    from .detector import is_detector

    if is_detector(expanded(str(target))):
        raise UserError(f"{target} holds a detector: gluon_attn.evaluate_objects evaluates it")
    options = {"data_dir": data_dir, "rec_val": rec_val, "crop_ratio": crop_ratio, "input_size": input_size}
    predictor, source = _open(expanded(str(target)), expanded(params), dataset, options)
    _announce(str(target), predictor, source)
    score = evaluate_predictor(predictor, source.val, batch_size)
    side = predictor.card.input_shape[1]
    return Evaluation(str(target), predictor.kind, source.name, side, crop_ratio, score, tuple(source.class_names))


def _announce(target: str, predictor: "Predictor", source: Any) -> None:
    """Log the first line."""
    import mxnet as mx

    from ..models.base import network_text
    from .announcement import data_text, devices_text

    card = predictor.card
    data = data_text(source.name, 0, len(source.val), card.classes, card.input_shape)
    about = predictor.kind, network_text({"model": card.model, "plan": card.plan}), data, devices_text([mx.cpu()])
    get_logger().info("evaluating %s (%s), %s; %s; %s", target, *about)


def _open(
    target: str, params: str | Path | None, dataset: str | None, options: dict[str, Any]
) -> "tuple[Predictor, Any]":
    """(predictor, `Dataset` with the test images)."""
    from ..deploy import predictor
    from ..models.factory import list_models
    from .evaluation_data import open_test_set
    from .network import make_card, named_network

    if params:  # the data say how many classes the model has
        net, source = named_network(target, params, dataset, options)
        return predictor.of_network(net, make_card(net, source), "params"), source
    if target in list_models() and not Path(target).exists():
        raise UserError(f"{target} is a model without weights: name its parameter file with option params")
    loaded = predictor.load(target, options["input_size"])
    return loaded, open_test_set(target, loaded.card, dataset, **options)
