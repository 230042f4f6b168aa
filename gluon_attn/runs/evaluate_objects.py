"""COCO's figures of a trained detector, or of the results of another program, on the test images of its run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.detect import DetectDataConfig, DetectModelConfig, DetectRunConfig, has_masks
from ..config.run_kind import held_kind
from ..data.coco import CocoSet
from ..data.image_notes import BadImage
from ..deploy.detector_bundle import is_bundle, open_bundle
from ..detect.figures import Figures, evaluate
from ..detect.result_files import read_results
from ..detect.results import to_results
from ..utils.errors import UserError
from ..utils.log import get_logger
from ..utils.paths import expanded
from ..utils.progress import each
from .detection_data import open_sets, run_config
from .detector import TrainedDetector, open_detector


@dataclass(frozen=True)
class ObjectEvaluation:
    """What was measured.

    Attributes:
        target: the run folder or the deploy bundle.
        dataset: name of the data set.
        images: number of test images.
        figures: "bbox" and, with masks, "segm" -> `Figures`.
    """

    target: str
    dataset: str
    images: int
    figures: dict[str, Figures]

    def to_dict(self, per_class: bool = False) -> dict[str, Any]:
        """Plain data; with `per_class` also the AP of each class, as KIND_per_class."""
        found: dict[str, Any] = {"target": self.target, "dataset": self.dataset, "images": self.images}
        for kind, one in self.figures.items():
            found |= {f"{kind}_{name}": value for name, value in one.values.items()}
            if per_class:
                found[f"{kind}_per_class"] = dict(one.per_class)
        return found


def evaluate_objects(
    target: str | Path, results: str | Path | None = None, data_dir: str | Path | None = None
) -> ObjectEvaluation:
    """Evaluate a detector's run folder or deploy bundle on its test images.

    Args:
        target: the run folder, whose weights are those of its best epoch, or a deploy bundle.
        results: a file in COCO's results format, of any program, to evaluate in place of the network.
        data_dir: folder of the data set (default: the one that the run was trained with).

    Raises:
        UserError: the folder holds no detector, the data are not there any more, or the results do not fit them.
    """
    folder = expanded(str(target))
    config = _config(folder, data_dir)
    _, test = open_sets(config)
    what = f"the results in {results}" if results else f"{target} ({config.model.model})"
    get_logger().info("evaluating %s; %s, %d test images", what, config.data.dataset, len(test))
    entries = (
        read_results(expanded(str(results)))
        if results
        else detected(open_detector(folder), test, config.data.max_bad_images)
    )
    kinds = None if results else ["bbox", "segm"] if has_masks(config) else ["bbox"]
    figures = evaluate(test.ground_truth(), entries, kinds, str(results or "results"))
    return ObjectEvaluation(str(target), config.data.dataset, len(test), figures)


def _config(folder: str, data_dir: str | Path | None) -> DetectRunConfig:
    """The options of a run; of a deploy bundle those of the run that it lies in, or what its card tells."""
    run = Path(folder)
    if is_bundle(folder):
        around = [one for one in run.resolve().parents[:2] if held_kind(one) == DetectRunConfig.kind]
        if not around:
            return _of_card(folder, data_dir)
        run = around[0]
    return run_config(run, data_dir)


def _of_card(folder: str, data_dir: str | Path | None) -> DetectRunConfig:
    _, card, _ = open_bundle(folder)
    about: Any = card.detection
    if card.dataset not in ("digit-scenes", "coco"):
        raise UserError(f"{folder} does not tell its test images: evaluate its run folder")
    get_logger().info("%s is in no run folder: it is evaluated on the usual test images of %s", folder, card.dataset)
    sizes = {"min_size": (about["shorter"],), "max_size": about["longer"]}
    data = DetectDataConfig(dataset=card.dataset, data_dir=str(data_dir) if data_dir else None, **sizes)
    return DetectRunConfig(data=data, model=DetectModelConfig(model=card.model))


def detected(detector: TrainedDetector, images: CocoSet, max_bad: float = 1.0) -> list[dict[str, Any]]:
    """What a detector finds in the images of a set, in COCO's results format; unreadable ones are told.

    Args:
        detector: the detector.
        images: the set.
        max_bad: largest share of the images that may be unreadable.

    Raises:
        UserError: there are more.
    """
    found, unread = [], 0
    for number in each(range(len(images)), "evaluation", len(images), "image"):
        try:
            pixels = images.pixels(number)
        except BadImage as error:
            get_logger().warning("nothing is found in %s, which cannot be read: %s", images.name(number), error)
            unread += 1
            if unread > max_bad * len(images):
                raise UserError(
                    f"more than {max_bad:.4g} of {len(images)} test images cannot be read, such as "
                    f"{images.name(number)}: {error}"
                ) from None
            continue
        (one,) = detector.detect([pixels])
        size = (pixels.shape[0], pixels.shape[1])
        found += to_results(one, int(images.image_ids[number]), size, images.category_ids)
    return found
