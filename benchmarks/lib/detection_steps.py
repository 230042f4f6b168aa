"""Our side of the comparison with torchvision's detectors, run by `process`.

    python -m benchmarks.lib.detection_steps

The constructor takes the `backbone`, whether `full` widths, `height`, `width` and `batch` of the images and the `file`
that it writes for the other side: weights under torchvision's names, images, objects, least score. "step" is one step
of training, from pixels and objects to new weights; "infer" goes from pixels to masks in the image, by a form of
`FORMS`; "losses" and "found" say what both sides must agree about, "step_operations" and "infer_operations" how much
arithmetic they are.
"""

import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.lib.process import serve

CLASSES, MEAN, STD = 10, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: whether full widths -> options of the network
WIDTHS: dict[bool, dict[str, Any]] = {
    False: {"fpn_channels": 64, "box_width": 256, "mask_widths": (64, 64)},
    True: {"fpn_channels": 256, "box_width": 1024, "mask_widths": (256,) * 4},
}
#: whether full widths -> (anchors and rois of an image that are learned from, proposals in training)
SAMPLES = {False: (64, 64, 500), True: (256, 512, 2000)}
#: how inference computes: the network as it is trained, or a form of it that `gluon-attn export` writes
FORMS = ("hybrid", "symbol", "onnx", "openvino")
_CALIBRATION, _CANDIDATES, _OBJECTS = 20, 200, 7
_ROIS, _MASKS = 250, 100  # that the fastest form of a graph is chosen with
_EVERYTHING = 1 << 20


def scene(height: int, width: int, number: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """A smooth picture (h,w,3) with ellipses on it, and the outline (k,2) of each."""
    import cv2

    random = np.random.default_rng([height, width, number])
    coarse = random.integers(0, 256, (height // 32, width // 32, 3)).astype("float32")
    pixels, outlines = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255), []
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    for _ in range(_OBJECTS):
        radii = random.uniform(0.04, 0.25, 2) * min(height, width)
        centre = [
            random.uniform(radius + 1, side - radius - 1) for radius, side in zip(radii, (width, height), strict=True)
        ]
        outline = np.array(centre) + np.stack([np.cos(angles), np.sin(angles)], 1) * radii
        cv2.fillPoly(pixels, [outline.astype("int32")], random.integers(0, 256, 3).tolist())
        outlines.append(outline)
    return pixels.astype("uint8"), outlines


class Ours:
    """A detector of the library: the parts of `train_coco.py` and of `gluon-attn predict`."""

    def __init__(self, backbone: str, full: bool, height: int, width: int, batch: int, file: str):
        import gluon_attn  # noqa: F401, I001 - before MXNet: it sets threads and malloc
        import mxnet as mx

        from gluon_attn.config.detect import DetectRunConfig
        from gluon_attn.data.canvas import Canvases, Placement
        from gluon_attn.detect.task import make_example
        from gluon_attn.engine.precision import training_operators
        from gluon_attn.engine.trainer import Trainer
        from gluon_attn.runs import detection
        from gluon_attn.runs.detection_network import make_detector, with_frozen_stages

        anchors, rois, proposals = SAMPLES[full]
        self.mx = mx
        self.config = config = DetectRunConfig.from_dict({
            "data": {"batch_size": batch},
            "model": {"model": f"mask_rcnn_fpn_{backbone}_v1b", "model_options": WIDTHS[full]},
            "optim": {"optimizer": "sgd", "lr": 1e-4, "wd": 1e-4},
            "detect": {"norm_eval": full, "frozen_stages": int(full), "rpn_samples": anchors, "roi_samples": rois,
                       "pre_nms": proposals, "post_nms": proposals, "test_pre_nms": proposals // 2,
                       "test_post_nms": proposals // 2},
        })  # fmt: skip
        mx.random.seed(1)
        self.placement = Placement(Canvases((_up(height), _up(width)), (_up(width), _up(height))),
                                   (min(height, width),), max(height, width), MEAN, STD)  # fmt: skip
        self.net = make_detector(config, CLASSES, self.placement, [mx.cpu()])
        self._calibrate()
        self.learning = detection.learning_options(config)
        self.prepare = make_example(self.net.anchors, self.learning)
        task = detection.Detection(self.net, {}, [], self.learning, detection.inference_options(config))
        frozen = with_frozen_stages(config, self.net)
        self.trainer = Trainer(self.net, task, frozen, [mx.cpu()], range(1000), range(1000))
        self.operators = partial(training_operators, "float32", [mx.cpu()], "auto")
        self.graphs, self.inference, self.steps = {"hybrid": self.trainer.forward}, task._inference, 0
        self.scenes = [self._scene(height, width, number) for number in range(batch)]
        self.file = file
        self._share()

    def _calibrate(self) -> None:
        """Pass noise through the network, so that running statistics are those of its layers; scores get a spread."""
        mx = self.mx
        self.net.box_head.cls_score.weight.set_data(self.net.box_head.cls_score.weight.data() * 30)
        with mx.autograd.train_mode():
            for _ in range(_CALIBRATION):
                self.net.body(mx.nd.random.normal(shape=(2, 3, 128, 128)))
        mx.nd.waitall()

    def _scene(self, height, width, number):
        from gluon_attn.data.masks import rasterized
        from gluon_attn.data.objects import Objects

        pixels, outlines = scene(height, width, number)
        count = len(outlines)
        boxes = np.array([[*one.min(0), *one.max(0)] for one in outlines], "float32")
        labels = np.arange(count, dtype="int32") % CLASSES
        masks = np.stack([rasterized([one], height, width) for one in outlines])
        objects = Objects(boxes, labels, np.zeros(count, bool), tuple([one] for one in outlines),
                          masks.sum((1, 2)).astype("float32"), np.arange(count), (height, width))  # fmt: skip
        return pixels, objects, masks

    def _share(self) -> None:
        """Write what the other side needs."""
        from gluon_attn.convert import reference_names
        from gluon_attn.convert.names import find_name_map

        params, names = self.net._collect_params_with_prefix(), reference_names(self.net, "torchvision")
        changed = find_name_map("torchvision").changed
        values = {names[name]: one.data().asnumpy() for name, one in params.items()}
        found = {f"weights/{name}": changed(name, value) for name, value in values.items()}
        for number, (pixels, objects, masks) in enumerate(self.scenes):
            found |= {f"{number}/pixels": pixels, f"{number}/boxes": objects.boxes, f"{number}/labels": objects.labels,
                      f"{number}/masks": masks}  # fmt: skip
        self.inference = self._with_threshold()
        np.savez(self.file, threshold=self.inference.score, **found)

    def _with_threshold(self):
        """The options of inference with a score that so many boxes of an image reach."""
        import dataclasses

        from gluon_attn.detect import inference

        scores, softmax = [], inference._softmax

        def noting(logits):
            scores.append(softmax(logits))
            return scores[-1]

        inference._softmax = noting
        self.found()
        inference._softmax = softmax
        least = np.sort(np.concatenate([one[:, 1:].reshape(-1) for one in scores]))[-_CANDIDATES * len(self.scenes)]
        return dataclasses.replace(self.inference, score=float(least))

    def _batch(self):
        samples = [self.placement.place(pixels, objects) for pixels, objects, _ in self.scenes]
        self.steps += 1
        examples = [self.prepare(sample, (1, self.steps, number)) for number, sample in enumerate(samples)]
        return self.mx.nd.array(np.stack([one.image for one in samples])), list(zip(samples, examples, strict=True))

    def step(self) -> None:
        """Run one training step."""
        with self.operators():
            self.trainer.train_step(self._batch())
        self.mx.nd.waitall()

    def losses(self) -> list[float]:
        """The losses of the batch when all anchors and rois are learned from; nothing is drawn then."""
        import dataclasses

        from gluon_attn.detect.learn import learn, per_batch
        from gluon_attn.detect.task import LOSSES, make_example

        options = dataclasses.replace(
            self.learning, anchors=dataclasses.replace(self.learning.anchors, count=_EVERYTHING),
            rois=dataclasses.replace(self.learning.rois, count=_EVERYTHING), normalize=per_batch,
        )  # fmt: skip
        self.prepare, kept = make_example(self.net.anchors, options), self.prepare
        images, samples = self._batch()
        self.prepare = kept
        with self.operators(), self.mx.autograd.train_mode():
            found = learn(self.net, images, [example for _, example in samples], options, self.graphs["hybrid"])
        return [float(found[name].asscalar()) for name in LOSSES]

    def _detect(self, form: str) -> list:
        from gluon_attn.detect.inference import detect
        from gluon_attn.detect.task import in_image

        samples = [self.placement.place(pixels, objects) for pixels, objects, _ in self.scenes]
        pixels = np.stack([one.image for one in samples])
        images = pixels if form in ("onnx", "openvino") else self.mx.nd.array(pixels)
        with self.operators():
            graphs = self._graphs(form)
            found = detect(self.net, images, [one.size for one in samples], self.inference, graphs)
        return [in_image(one, sample) for one, sample in zip(found, samples, strict=True)]

    def _graphs(self, form: str) -> Any:
        """What computes in a form; the first call exports it."""
        from gluon_attn.config.card import Card
        from gluon_attn.deploy.detector_bundle import exported_card
        from gluon_attn.deploy.detector_check import sample_inputs
        from gluon_attn.deploy.detector_graphs import open_parts, write_parts
        from gluon_attn.deploy.targets import ExportTarget

        if form not in self.graphs:
            height, width = self.placement.canvases.landscape
            about = {"canvases": [[height, width], [width, height]]}
            card = exported_card(self.net, Card(**self.net.recipe, input_shape=(3, height, width), detection=about))
            inputs = sample_inputs(self.net, card, np.zeros((1, 3, height, width), "float32"), _ROIS, _MASKS)
            folder = Path(tempfile.mkdtemp(dir=Path(self.file).parent))
            described = write_parts(ExportTarget(form), self.net, card, folder, inputs)
            self.graphs[form] = open_parts(folder, card, described, form)
        return self.graphs[form]

    def found(self, form: str = "hybrid") -> list[list[float]]:
        """Number of detections of each image, and the sum of their scores."""
        return [[len(one), float(one.scores.sum())] for one in self._detect(form)]

    def infer(self, form: str = "hybrid") -> None:
        """Detect in the batch, and paste each mask into its image."""
        from gluon_attn.detect.paste import paste_all

        for (pixels, *_), one in zip(self.scenes, self._detect(form), strict=True):
            for _image in paste_all(one.masks, one.boxes, pixels.shape[:2]):
                pass

    def step_operations(self) -> float:
        """Operations of a training step."""
        from benchmarks.lib.detection_work import counting, operations
        from gluon_attn.detect.learn import learn

        graphs, rois = counting(self.graphs["hybrid"])
        images, samples = self._batch()
        with self.operators(), self.mx.autograd.train_mode():
            learn(self.net, images, [example for _, example in samples], self.learning, graphs)
        first = self.config.detect.frozen_stages
        frozen = {"stem", *(f"stage{number + 1}" for number in range(first))} if first else ()
        return operations(self.net, images.shape[2:], len(images), rois, frozen)

    def infer_operations(self) -> float:
        """Operations of inference, masks in the image left out."""
        from benchmarks.lib.detection_work import counting, operations
        from gluon_attn.detect.inference import detect

        graphs, rois = counting(self.graphs["hybrid"])
        samples = [self.placement.place(pixels, objects) for pixels, objects, _ in self.scenes]
        images = self.mx.nd.array(np.stack([one.image for one in samples]))
        with self.operators():
            detect(self.net, images, [one.size for one in samples], self.inference, graphs)
        return operations(self.net, images.shape[2:], len(images), rois)

    def __getattr__(self, name: str) -> Any:
        """infer_FORM and found_FORM of the other forms."""
        method, _, form = name.partition("_")
        if method in ("infer", "found") and form in FORMS:
            return lambda: getattr(self, method)(form)
        raise AttributeError(name)


def _up(side: int) -> int:
    return -(-side // 32) * 32


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    serve(Ours)
