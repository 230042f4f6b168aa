"""COCO's figures of a trained detector, or of the results of another program, on the test images of its run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.detect import DetectRunConfig, has_masks
from ..data.coco import CocoSet
from ..data.image_notes import BadImage
from ..detect.figures import Figures, evaluate
from ..detect.result_files import read_results
from ..detect.results import to_results
from ..utils.log import get_logger
from ..utils.paths import expanded
from .detection import open_sets
from .detector import TrainedDetector, open_detector
from .folder import RunFolder


@dataclass(frozen=True)
class ObjectEvaluation:
    """What was measured.

    Attributes:
        target: the run folder.
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


def evaluate_objects(target: str | Path, results: str | Path | None = None) -> ObjectEvaluation:
    """Evaluate a detector's run folder on its test images.

    Args:
        target: the run folder; the weights are those of its best epoch.
        results: a file in COCO's results format, of any program, to evaluate in place of the network.

    Raises:
        UserError: the folder holds no detector, the data are not there any more, or the results do not fit them.
    """
    run = RunFolder(expanded(str(target)))
    config = run.read_config(DetectRunConfig)
    _, test = open_sets(config)
    entries = read_results(expanded(str(results))) if results else detected(open_detector(run.path), test)
    kinds = None if results else ["bbox", "segm"] if has_masks(config) else ["bbox"]
    return ObjectEvaluation(str(target), config.data.dataset, len(test), evaluate(test.ground_truth(), entries, kinds))


def detected(detector: TrainedDetector, images: CocoSet) -> list[dict[str, Any]]:
    """What a detector finds in the images of a set, in COCO's results format; unreadable ones are told and left out."""
    found = []
    for number in range(len(images)):
        try:
            pixels = images.pixels(number)
        except BadImage as error:
            get_logger().warning("%s is left out: %s", images.name(number), error)
            continue
        (one,) = detector.detect([pixels])
        size = (pixels.shape[0], pixels.shape[1])
        found += to_results(one, int(images.image_ids[number]), size, images.category_ids)
    return found
