"""One measurement of a detector in a process of its own: `python -m gluon_attn.runs.measure_detector ORDER`.

ORDER is JSON, as in `deploy.measure`. Prints one JSON object: {"kind", "precision", "parts": name -> seconds of each
pass}, the whole detection having the name "", or {"error": one line}.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..deploy.measure import seconds_of
from ..utils.errors import UserError

if TYPE_CHECKING:
    from .detector import TrainedDetector


def parts(detector: "TrainedDetector", batch: int) -> dict[str, Callable[[], Any]]:
    """Name -> function that computes it: the whole detection of random images, and each graph.

    The heads compute as many rois as an image may have proposals and detections.

    Args:
        detector: The detector.
        batch: Images per pass.
    """
    import mxnet as mx
    import numpy as np

    from ..deploy.detector_check import random_rois
    from ..deploy.detector_graphs import as_numpy
    from ..models.detection import Detector
    from ..utils.seed import generator

    height, width = detector.placement.canvases.landscape
    images = generator(0).integers(0, 256, (batch, height, width, 3), dtype=np.uint8)
    net, graphs, convert = detector.net, detector.graphs, np.asarray
    if graphs is None:
        assert isinstance(net, Detector)
        graphs = net.computed_by(lambda part: part)
    if detector.kind in ("run", "network", "symbol"):
        convert = mx.nd.array
    placed = [detector.place(image) for image in images]
    data = convert(np.stack([one.image for one in placed]))

    def read(outputs: Any) -> None:
        for one in outputs if isinstance(outputs, list | tuple) else [outputs]:
            as_numpy(one)

    def compute(head: Callable[..., Any], inputs: list[Any]) -> None:
        read(head(*inputs))

    maps = graphs.body(data)[:4]
    found: dict[str, Callable[[], Any]] = {
        "": lambda: detector.find([detector.place(image) for image in images]),
        "body": partial(compute, graphs.body, [data]),
    }
    counts = {"box head": detector.inference.proposals.after, "mask head": detector.inference.most}
    for (name, count), head in zip(counts.items(), (graphs.box_head, graphs.mask_head), strict=True):
        if head is not None:
            rois, levels = random_rois((height, width), count * batch, net.roi_scale)
            rois[:, 0] = np.arange(len(rois)) % batch
            inputs = [*maps, convert(rois), convert(levels)]
            found[f"{name}, {count} rois per image"] = partial(compute, head, inputs)
    return found


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Answer one `order`: {"target", "batch", "repeat", "warm_up"}."""
    from .detector import named_detector, open_detector

    try:
        there = Path(order["target"]).exists()
        detector = open_detector(order["target"]) if there else named_detector(order["target"])
        times = {
            name: seconds_of(one, order["repeat"], order["warm_up"])
            for name, one in parts(detector, order["batch"]).items()
        }
        kind = detector.kind if there else "network"
        return {"kind": kind, "precision": detector.precision, "parts": times}
    except UserError as error:
        return {"error": str(error)}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
