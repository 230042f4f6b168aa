"""Detect objects in images with the graphs beside this file: python example.py IMAGE... [--results FILE.json].

It needs NumPy, OpenCV and what runs the graphs: MXNet, ONNX Runtime or OpenVINO, as card.json says. Boxes are x1, y1,
x2, y2 in pixels. --results writes what is found in COCO's results format, the images numbered from 1; --picture DIR
draws it; --score (0.5) is the least score of what is printed and drawn.
"""

import argparse
import builtins
import functools
import json
import math
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

FOLDER = Path(__file__).resolve().parent
#: names that MXNet asks NumPy for when it loads, and NumPy 2 has not; nothing here uses them
REMOVED = "Inf PINF NINF NAN NaN PZERO NZERO alltrue sometrue product round_ in1d trapz msort mirr npv pmt ppmt pv rate"
LEVELS = 4  # P2 to P5, which rois are pooled from
GROWTH = np.float32(math.log(1000 / 16))  # largest dw and dh


@functools.cache
def openvino_core() -> Any:
    """OpenVINO's entry point, one for all graphs: with several, a signal crashes the process once one has ended."""
    import openvino

    return openvino.Core()


def open_graph(card: dict[str, Any], name: str) -> Callable[[dict[str, Any]], list[Any]]:
    """A function of the inputs by name -> list of the outputs of one graph."""
    graph = card["graphs"][name]
    path, inputs, outputs = FOLDER / graph["file"], [one["name"] for one in graph["inputs"]], graph["outputs"]
    threads = int(os.environ.get("OMP_NUM_THREADS", 0))
    if card["format"] == "onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return lambda values: session.run(outputs, values)
    if card["format"] == "openvino":
        settings = {"INFERENCE_PRECISION_HINT": {"bfloat16": "bf16"}.get(card["precision"], "f32")}
        if threads:
            settings["INFERENCE_NUM_THREADS"] = str(threads)
        request = openvino_core().compile_model(str(path), "CPU", settings).create_infer_request()
        return lambda values: [request.infer(values)[one].copy() for one in outputs]
    for kind in ("bool", "int", "float", "object", "complex", "str"):  # NumPy 1.24 removed what MXNet imports
        vars(np).setdefault(kind, getattr(builtins, kind))
    for gone in REMOVED.split():
        vars(np).setdefault(gone, None)
    import mxnet as mx

    warnings.filterwarnings("ignore", "Cannot decide type")  # of the inputs; their arrays tell
    net = mx.gluon.SymbolBlock.imports(str(path), inputs, str(FOLDER / f"{name}-0000.params"))
    net.hybridize(static_alloc=True, static_shape=True)

    def run(values: dict[str, Any]) -> list[Any]:
        found = net(*(mx.nd.array(values[one], dtype=values[one].dtype) for one in inputs))
        return [one.asnumpy() for one in (found if isinstance(found, list | tuple) else [found])]

    return run


class Detector:
    """The graphs of this folder and the steps between them."""

    def __init__(self) -> None:
        self.card: dict[str, Any] = json.loads((FOLDER / "card.json").read_text(encoding="utf-8"))
        self.about: dict[str, Any] = self.card["detection"]
        self.graphs = {name: open_graph(self.card, name) for name in self.card["graphs"]}

    def detect(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """Boxes, scores, labels and, with a mask head, masks (28,28) of an RGB image, the best first."""
        pixels, (height, width) = self.place(image)
        *maps, logits, deltas = self.graphs["body"]({"data": pixels[None]})
        canvas, size = pixels.shape[1:], (height, width)
        proposals = self.propose(logits[0], deltas[0], canvas, size)
        limits, scores, boxes = self.about["inference"], np.zeros((0, 1), "float32"), np.zeros((0, 1, 4), "float32")
        if len(proposals):
            logits, deltas = self.head("box_head", maps, proposals)
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            scores = (powers / powers.sum(axis=1, keepdims=True))[:, 1:]  # the background is the first
            boxes = clip(decode(deltas[:, 1:], proposals[:, None], self.about["box_weights"]), size)
        which, labels = np.nonzero(scores > np.float32(limits["score"]))
        boxes, scores = boxes[which, labels], scores[which, labels]
        kept = large(boxes, limits["smallest"])
        boxes, scores, labels = boxes[kept], scores[kept], labels[kept]
        apart = boxes + (labels.astype("float32") * (boxes.max(initial=0) + np.float32(1)))[:, None]
        kept = nms(apart, scores, limits["overlap"])[: limits["most"]]
        found = {"boxes": boxes[kept], "scores": scores[kept], "labels": labels[kept]}
        if "mask_head" in self.graphs:
            found["masks"] = np.zeros((0, 28, 28), "float32")
            if len(kept):
                (logits,) = self.head("mask_head", maps, found["boxes"])
                found["masks"] = 1 / (1 + np.exp(-logits[np.arange(len(kept)), found["labels"] + 1]))
        found["boxes"] = found["boxes"] / np.tile([width / image.shape[1], height / image.shape[0]], 2).astype(
            "float32"
        )
        return found

    def place(self, image: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
        """The image resized, normalized and put onto its canvas, (3,H,W), and its size there."""
        height, width = image.shape[:2]
        canvas = self.about["canvases"][1 if height > width else 0]
        sides = ((self.about["shorter"], min(height, width)), (self.about["longer"], max(height, width)))
        new, old = min((*sides, (canvas[0], height), (canvas[1], width)), key=lambda pair: pair[0] / pair[1])
        size = max(1, height * new // old), max(1, width * new // old)
        pixels = image.astype("float32")
        if size != (height, width):
            pixels = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_LINEAR)
        mean, std = (np.asarray(self.card[key], "float32") for key in ("mean", "std"))
        placed = np.zeros((3, *canvas), "float32")
        placed[:, : size[0], : size[1]] = ((pixels * np.float32(1 / 255) - mean) / std).transpose(2, 0, 1)
        return placed, size

    def propose(
        self, logits: np.ndarray, deltas: np.ndarray, canvas: tuple[int, ...], size: tuple[int, int]
    ) -> np.ndarray:
        """The boxes that may be objects: of each level the best ones, without those that overlap a better one."""
        limits, first, boxes, scores = self.about["inference"]["proposals"], 0, [], []
        shape = [-(-side // 4) for side in canvas]
        for cell in self.about["anchors"]:
            stride = [side // length for side, length in zip(canvas, shape, strict=True)]
            y, x = (np.arange(length, dtype="float32") * step for length, step in zip(shape, stride, strict=True))
            corners = np.stack(np.meshgrid(x, y) * 2, axis=-1).reshape(-1, 1, 4)
            anchors = (corners + np.asarray(cell, "float32")).reshape(-1, 4)
            part = slice(first, first + len(anchors))
            best = np.argsort(-logits[part], kind="stable")[: limits["before"]]
            own = clip(decode(deltas[part][best], anchors[best], self.about["proposal_weights"]), size)
            kept = large(own, 1e-3)
            own, score = own[kept], logits[part][best][kept]
            kept = nms(own, score, limits["overlap"])[: limits["after"]]
            boxes.append(own[kept])
            scores.append(score[kept])
            first, shape = part.stop, [-(-length // 2) for length in shape]
        best = np.argsort(-np.concatenate(scores), kind="stable")[: limits["after"]]
        return np.concatenate(boxes)[best]

    def head(self, name: str, maps: list[np.ndarray], boxes: np.ndarray) -> list[np.ndarray]:
        """The outputs of a head; each box is pooled from the level that fits its size (Lin et al. 2017, eq. 1)."""
        wanted, step = len(boxes), 1 << max(3, len(boxes).bit_length() - 4)
        boxes = np.resize(boxes, (-(-wanted // step) * step, 4))  # few shapes: MXNet keeps memory for each one
        side = np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
        with np.errstate(divide="ignore"):
            level = np.floor(4 + np.log2(side / np.float32(self.about["roi_scale"])) + np.float32(1e-6))
        level = np.clip(level, 2, 5)
        boxes = np.concatenate([boxes[:, :2], np.maximum(boxes[:, 2:], boxes[:, :2] + np.float32(1e-3))], axis=1)
        order, count = np.zeros(len(boxes), "int32"), 0
        values = {f"p{number + 2}": one for number, one in enumerate(maps)}
        for number in range(2, 2 + LEVELS):
            own = np.flatnonzero(level == number)
            order[own] = count + np.arange(len(own))
            rois = boxes[own] if len(own) else np.array([[0, 0, 1, 1]], "float32")  # no level is empty
            values[f"rois_{number}"] = np.insert(rois, 0, 0, axis=1)  # of image 0
            count += len(rois)
        return [one[:wanted] for one in self.graphs[name]({**values, "order": order})]


def read(path: str) -> np.ndarray | None:
    """The RGB pixels of a file, transparent ones on white; None if it is no image."""
    pixels, alpha = cv2.imread(path, cv2.IMREAD_COLOR), cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if pixels is None:
        return None
    if alpha.shape == (*pixels.shape[:2], 4) and alpha.dtype == np.uint8:
        share = alpha[..., 3:].astype("float32") / 255
        pixels = np.rint(pixels * share + 255 * (1 - share)).astype("uint8")
    return np.ascontiguousarray(pixels[..., ::-1])


def decode(deltas: np.ndarray, anchors: np.ndarray, weights: list[float]) -> np.ndarray:
    """The boxes that regression outputs make of anchors."""
    anchor_sides = anchors[..., 2:] - anchors[..., :2]
    centres = anchors[..., :2] + np.float32(0.5) * anchor_sides
    deltas = deltas / np.asarray(weights, "float32")
    centres = deltas[..., :2] * anchor_sides + centres
    half = np.float32(0.5) * (np.exp(np.minimum(deltas[..., 2:], GROWTH)) * anchor_sides)
    return np.concatenate([centres - half, centres + half], axis=-1)


def clip(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Boxes cut at the border of an image."""
    return np.clip(boxes, 0, np.array([size[1], size[0]] * 2, "float32"))


def large(boxes: np.ndarray, smallest: float) -> np.ndarray:
    """Indices of the boxes whose sides reach some length."""
    return np.flatnonzero((boxes[:, 2:] - boxes[:, :2] >= smallest).all(axis=1))


def nms(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> np.ndarray:
    """Indices of the boxes that overlap no better one by more, the best first."""
    order, areas, kept = np.argsort(-scores, kind="stable"), np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        low, high = np.maximum(boxes[order, :2], boxes[best, :2]), np.minimum(boxes[order, 2:], boxes[best, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        union = areas[order] + areas[best] - shared
        ratio = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
        order = order[~(ratio > np.float32(overlap))]
    return np.array(kept, "int64")


def paste(mask: np.ndarray, box: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """The pixels of one object, (H,W) bool: its mask with a border of zeros, enlarged to its box."""
    mask, grown = np.pad(mask, 1), np.float32((len(mask) + 2) / len(mask))
    half, centre = (box[2:] - box[:2]) * np.float32(0.5) * grown, (box[2:] + box[:2]) * np.float32(0.5)
    (x1, y1), (x2, y2) = (centre - half).astype(int), (centre + half).astype(int)
    bits = cv2.resize(mask, (max(x2 - x1 + 1, 1), max(y2 - y1 + 1, 1)), interpolation=cv2.INTER_LINEAR) > 0.5
    x, y, image = max(x1, 0), max(y1, 0), np.zeros(size, bool)
    part = bits[y - y1 : size[0] - y1, x - x1 : size[1] - x1]
    image[y : y + part.shape[0], x : x + part.shape[1]] = part
    return image


def encode(bits: np.ndarray) -> dict[str, Any]:
    """A mask as COCO's compressed run lengths: down the columns, zeros first, five bits a character."""
    line = np.concatenate([[False], bits.T.reshape(-1)])
    runs = np.diff([0, *np.flatnonzero(line[1:] != line[:-1]).tolist(), bits.size]).tolist()
    text = ""
    for number, run in enumerate(runs):
        left, more = run - runs[number - 2] if number > 2 else run, True
        while more:
            digit, left = left & 31, left >> 5
            more = left != (-1 if digit & 16 else 0)
            text += chr(digit + 32 * more + 48)
    return {"size": list(bits.shape), "counts": text}


def draw(image: np.ndarray, found: dict[str, np.ndarray], names: list[str], score: float) -> np.ndarray:
    """The image with boxes, masks, classes and scores, BGR."""
    picture = image[..., ::-1].copy()
    for i in np.flatnonzero(found["scores"] >= score)[::-1]:
        colour = tuple(int(37 * (found["labels"][i] + 1) * step % 200 + 40) for step in (1, 3, 7))
        if "masks" in found:
            bits = paste(found["masks"][i], found["boxes"][i], image.shape[:2])
            picture[bits] = (picture[bits] * 0.55 + np.array(colour) * 0.45).astype("uint8")
        x1, y1, x2, y2 = (round(float(side)) for side in found["boxes"][i])
        cv2.rectangle(picture, (x1, y1), (x2, y2), colour, 1)
        text = f"{names[found['labels'][i]]} {found['scores'][i]:.2f}"
        cv2.putText(picture, text, (x1, max(y1 - 2, 10)), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour)
    return picture


def main() -> None:
    """Print and write what is found in the images of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", nargs="+", metavar="IMAGE")
    parser.add_argument("--results", metavar="FILE.json")
    parser.add_argument("--picture", metavar="DIR")
    parser.add_argument("--score", type=float, default=0.5)
    options = parser.parse_args()
    detector, results, drawn = Detector(), [], set()
    names, numbers = detector.card["class_names"], detector.about["category_ids"]
    for number, path in enumerate(options.images, 1):
        image = read(path)
        if image is None:
            parser.error(f"{path} cannot be read as an image")
        found = detector.detect(image)
        for i, (label, score, box) in enumerate(zip(found["labels"], found["scores"], found["boxes"], strict=True)):
            corners = [float(side) for side in (*box[:2], *(box[2:] - box[:2]))]
            entry = {"image_id": number, "category_id": numbers[label], "score": float(score), "bbox": corners}
            if "masks" in found:
                entry["segmentation"] = encode(paste(found["masks"][i], box, image.shape[:2]))
            results.append(entry)
            if score >= options.score:
                print(f"{path}: {names[label]} {score:.2f} at {' '.join(f'{side:.1f}' for side in box)}")
        if options.picture:
            Path(options.picture).mkdir(parents=True, exist_ok=True)
            name = Path(path).stem
            name = f"{name}-{number}" if name.lower() in drawn else name  # of images of one name each has its own
            drawn.add(name.lower())
            cv2.imwrite(str(Path(options.picture) / f"{name}.png"), draw(image, found, names, options.score))
    if options.results:
        Path(options.results).write_text(json.dumps(results), encoding="utf-8")


if __name__ == "__main__":
    main()
