"""Does an exported detector compute what the network computes?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mxnet as mx
import numpy as np

from ..config.card import Card
from ..models.detection import Detector, Graphs
from ..nn.boxes import roi_levels
from ..utils.seed import generator
from .detector_graphs import as_numpy, rois_by_level
from .detector_parts import parts

#: share of the network's detections that a float32 export has to give. Rounding turns a choice at a threshold or among
#: equal scores another way now and then; what is wrong shows in the graphs' outputs, which are judged by `ROUNDING`
ALIKE = 0.9
_SMALLEST_ROI = 4  # pixels


@dataclass(frozen=True)
class DetectionAgreement:
    """How an exported detector compares with the network.

    Attributes:
        graphs: Largest difference of the outputs of each graph, relative to the largest value of an output.
        images: Number of images compared.
        detections: Number of the network's detections in them.
        alike: How many of these the exported one has as well, with the same class and an IoU of 0.9 or more.
        pixels: Largest difference of the corners of these in pixels.
        scores: The same of their scores.
    """

    graphs: dict[str, float]
    images: int
    detections: int
    alike: int
    pixels: float
    scores: float

    @property
    def difference(self) -> float:
        """The largest difference of all graphs."""
        return max(self.graphs.values())

    def good(self, tolerance: float, exact: bool) -> bool:
        """Whether the file may be taken for the same network; `exact`: also by its detections."""
        return self.difference <= tolerance and (not exact or self.alike >= ALIKE * self.detections)

    @property
    def told(self) -> str:
        """In words."""
        text = f"largest difference {self.difference:.1e} of the largest output, {self.alike} of {self.detections} "
        text += f"detections in {self.images} images alike"
        return f"{text} (corners to {self.pixels:.1e} pixels, scores to {self.scores:.1e})" if self.alike else text


def random_rois(canvas: Sequence[int], count: int, roi_scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Rois of all sizes on a canvas, the same at each call: (rois (count,5) of image 0, their levels (count,))."""
    random, limits = generator(0), np.array([canvas[1], canvas[0]])
    centres = random.uniform(0, 1, (count, 2)) * limits
    sides = np.exp(random.uniform(np.log(_SMALLEST_ROI), np.log(limits), (count, 2)))
    low, high = np.clip(centres - sides / 2, 0, limits - 1), np.clip(centres + sides / 2, 1, limits)
    boxes = np.concatenate([low, high], axis=1).astype("float32")
    return np.insert(boxes, 0, 0, axis=1), roi_levels(boxes, roi_scale).astype("float32") - 2


def sample_inputs(net: Detector, card: Card, image: np.ndarray, rois: int, masks: int) -> dict[str, list[np.ndarray]]:
    """Inputs of each graph, to measure it.

    Args:
        net: The detector.
        card: Its `Card`.
        image: (1,3,H,W), normalized.
        rois, masks: Number of rois of the box head and of the mask head.
    """
    maps = [as_numpy(one) for one in net.body(mx.nd.array(image))[:4]]
    counts, found = {"box_head": rois, "mask_head": masks}, {"body": [image]}
    for part in parts(net, card)[1:]:
        found[part.name] = [*maps, *rois_by_level(*random_rois(image.shape[2:], counts[part.name], net.roi_scale))]
    return found


def differences(net: Detector, graphs: Graphs, image: np.ndarray, rois: int = 64) -> dict[str, float]:
    """Largest difference of each graph's outputs from the network's, relative to the largest value of the output.

    Args:
        net: The detector.
        graphs: The exported ones.
        image: (1,3,H,W), normalized.
        rois: Number of rois of each head.
    """
    body = [as_numpy(one) for one in net.body(mx.nd.array(image))]
    found = {"body": _largest(graphs.body(image), body)}
    inputs = [*body[:4], *random_rois(image.shape[2:], rois, net.roi_scale)]
    for name in ("box_head", "mask_head"):
        if (head := getattr(graphs, name)) is not None:
            found[name] = _largest(head(*inputs), getattr(net, name)(*map(mx.nd.array, inputs)))
    return found


def _largest(found: Any, wanted: Any) -> float:
    expected = [as_numpy(one) for one in (wanted if isinstance(wanted, list | tuple) else [wanted])]
    ratios = [
        np.abs(as_numpy(one) - other).max() / max(np.abs(other).max(), np.finfo("float32").tiny)
        for one, other in zip(found, expected, strict=True)
    ]
    return float(np.max(ratios)) if np.isfinite(ratios).all() else float("inf")
