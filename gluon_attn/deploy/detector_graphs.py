"""The graphs of an exported detector: body, box head and mask head, written for one engine and opened again.

Between them NumPy chooses the rois. A head takes the rois of each level apart, so that each is pooled once and by
operators that every engine has.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from ..config.card import Card
from ..models.detection import Detector, Graphs
from ..models.detection.geometry import LEVELS
from ..utils.errors import UserError
from . import onnx, openvino, symbol
from .detector_parts import Part, parts, parts_of
from .targets import ExportTarget
from .write import write_graph

#: a roi of one pixel of the first image: MXNet takes no empty arrays
_ANY = np.array([[0, 0, 0, 1, 1]], np.float32)
_SMALLEST = np.float32(1e-3)  # pixels; MXNet's operator takes no roi without area


def rois_by_level(rois: np.ndarray, levels: np.ndarray) -> list[np.ndarray]:
    """The inputs of a head behind the maps.

    Args:
        rois: (n,5): number of the image, x1, y1, x2, y2; one or more.
        levels: (n,) from 0.

    Returns:
        Rois of each level, each with one at least and an area, and their order, as of `roi_align_by_level`.
    """
    rois = np.concatenate([rois[:, :3], np.maximum(rois[:, 3:], rois[:, 1:3] + _SMALLEST)], axis=1)
    order, groups, count = np.zeros(len(rois), np.int32), [], 0
    for level in range(len(LEVELS)):
        own = np.flatnonzero(levels == level)
        order[own] = count + np.arange(len(own))
        groups.append(rois[own] if len(own) else _ANY)
        count += len(groups[-1])
    return [*groups, order]


def write_parts(
    target: ExportTarget, net: Detector, card: Card, folder: Path, inputs: Mapping[str, Sequence[np.ndarray]]
) -> dict[str, dict[str, Any]]:
    """Write the graphs of a detector to a folder, optimized for inference.

    Args:
        target: What to write.
        net: The detector, which stays as it is.
        card: Its `Card`.
        folder: The folder.
        inputs: Of each graph, to measure the fastest form on.

    Returns:
        Name of each graph -> {"file", "inputs", "outputs"}.

    Raises:
        UserError: A graph cannot be written like this, or a library is missing.
    """
    found = {}
    for part in parts(net, card):
        path = write_graph(
            target, getattr(net, part.name), card, folder / part.name, list(inputs[part.name]), ports=part.ports,
            outputs=part.outputs,
        )  # fmt: skip
        found[part.name] = {"file": path.name, **part.to_dict()}
    return found


def open_parts(folder: Path, card: Card, described: Mapping[str, Any], format: str) -> Graphs:
    """Open the graphs that `write_parts` wrote. They take and give arrays of NumPy or MXNet.

    Args:
        folder: Where they are.
        card: `Card` of the detector.
        described: What `write_parts` returned.
        format: Of the files.

    Raises:
        UserError: A file is missing or damaged.
    """
    try:
        masks, channels = "mask_head" in described, int(described["box_head"]["inputs"][0]["shape"][1])
        made = parts_of(card, masks, channels)
        files = {part.name: folder / Path(described[part.name]["file"]).name for part in made}
    except (KeyError, IndexError, TypeError, ValueError):
        raise UserError(f"{folder} holds no exported detector: its card.json does not describe the graphs") from None
    opened = {part.name: _opened(format, files[part.name], card, part) for part in made}
    mask_head = opened.get("mask_head")
    return Graphs(opened["body"], ByLevel(opened["box_head"]), mask_head and ByLevel(mask_head))


class ByLevel:
    """A head of an exported detector, to be called like that of a network: maps, rois, levels.

    Args:
        head: Takes maps, rois of each level, and their order.
    """

    def __init__(self, head: Callable[..., list]) -> None:
        self._head = head

    def __call__(self, *inputs: Any) -> list:
        """The outputs of the head."""
        *maps, rois, levels = inputs
        return self._head(*maps, *rois_by_level(as_numpy(rois), as_numpy(levels)))


def as_numpy(array: Any) -> np.ndarray:
    """An array of MXNet or NumPy as one of NumPy."""
    return array.asnumpy() if isinstance(array, mx.nd.NDArray) else np.asarray(array)


def _opened(format: str, path: Path, card: Card, part: Part) -> Callable[..., list]:
    """A function of the inputs -> list of the outputs."""
    names = [port.name for port in part.ports]
    if format == "symbol":
        net = symbol.block(symbol.read_part(path, card, part.ports, part.outputs))
        return lambda *inputs: _listed(net(*map(_as_mxnet, inputs)))
    if format == "onnx":
        session, _ = onnx.open_session(path)
        return lambda *inputs: session.run(list(part.outputs), dict(zip(names, map(as_numpy, inputs), strict=True)))
    request, _, _ = openvino.open_request(path)
    return lambda *inputs: openvino.infer(request, dict(zip(names, map(as_numpy, inputs), strict=True)))


def _as_mxnet(array: Any) -> mx.nd.NDArray:
    return array if isinstance(array, mx.nd.NDArray) else mx.nd.array(array, dtype=array.dtype)


def _listed(outputs: Any) -> list:
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]
