"""Detection as a task: losses of both stages, and box and mask AP as scores."""

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mxnet as mx
import numpy as np

from ..config.scores import BOX_AP, MASK_AP
from ..engine.metrics import Meter
from ..engine.task import Shard, SumOverProcesses, Task, TrainingLoop
from ..models.detection.detector import Detector, Graphs
from ..utils.progress import each
from .figures import evaluate
from .gather import gathered
from .inference import InferenceOptions, detect
from .learn import Example, LearningOptions, learn
from .results import Detections, to_results

LOSSES = ("loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "loss_bbox", "loss_mask")


class DetectionMeter(Meter):
    """The sum of the losses, each of them, and the accuracy of the second stage's classes; means over images."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.metrics.update({name: mx.metric.Loss() for name in names})

    def measure(self, measured: Sequence[Mapping[str, mx.nd.NDArray]]) -> None:
        """Update with the parts of each device: losses are sums over its images, "images" their number."""
        for part in measured:
            for name, values in part.items():
                if name != "images":
                    self.metrics[name].update(None, [values])


class Detection(Task):
    """Faster or Mask R-CNN; the score is the mask AP, without masks the box AP.

    Batches are (images (B,3,H,W), [(sample, its `Example`), ...]), see `data.detection.DetectionLoader`.

    Args:
        net: the detector.
        ground_truth: of the test images, as COCO's annotation files have it.
        category_ids: COCO's number of each class.
        learning: how the detector learns.
        inference: what counts as a detection.
        every: epochs from one evaluation to the next.
        epochs: of the run; its last epoch is evaluated.
    """

    def __init__(
        self,
        net: Detector,
        ground_truth: Mapping[str, Any],
        category_ids: Sequence[int],
        learning: LearningOptions,
        inference: InferenceOptions,
        every: int = 1,
        epochs: int = 1,
    ) -> None:
        self._net, self._ground_truth, self._category_ids = net, ground_truth, category_ids
        self._learning, self._inference, self._every, self._epochs = learning, inference, every, epochs
        self._rank, self._size, self._number = 0, 1, 0
        self.score = MASK_AP if net.mask_head else BOX_AP
        self._names = LOSSES if net.mask_head else LOSSES[:-1]

    def prepare(self, trainer: TrainingLoop) -> None:
        """Notes which process this is."""
        self._rank, self._size = trainer.backend.rank, trainer.backend.size

    def split(self, batch: tuple, contexts: Sequence[mx.Context]) -> list[Shard]:
        """(images, examples) for each device."""
        images, samples = batch
        parts = np.array_split(np.arange(len(samples)), min(len(contexts), len(samples)))
        return [
            (images[int(part[0]) : int(part[-1]) + 1].as_in_context(ctx), [samples[i][1] for i in part])
            for part, ctx in zip(parts, contexts, strict=False)
        ]

    def images(self, batch: tuple) -> int:
        """Number of images in a batch."""
        return len(batch[1])

    def forward(self, net: Graphs, shard: Shard) -> tuple[mx.nd.NDArray, dict[str, mx.nd.NDArray]]:  # type: ignore[override]
        """The sum of all losses as (n,) equal parts, one per image, and the losses for the meter."""
        images, examples = shard
        found = learn(self._net, images, examples, self._learning, net)
        count = len(examples)
        each = sum(found[name] for name in self._names) / count
        means = {name: mx.nd.BlockGrad(found[name] / count) for name in self._names}
        return mx.nd.broadcast_to(each, (count,)), {**means, "acc": found["acc"]}

    def meter(self) -> DetectionMeter:
        """A new `DetectionMeter`."""
        return DetectionMeter([*self._names, "acc"])

    def epoch(self, trainer: TrainingLoop) -> contextlib.AbstractContextManager:
        """Notes the number of the epoch."""
        self._number = trainer.epoch + 1
        return super().epoch(trainer)

    def evaluate(  # type: ignore[override]
        self, net: Graphs, loader: Any, contexts: Sequence[mx.Context], total: SumOverProcesses
    ) -> dict:
        """COCO's 12 figures of boxes, and of masks where there are some, and the AP of each class.

        {} in an epoch that is not evaluated, see `every`.
        """
        if self._number and self._number % self._every and self._number != self._epochs:
            return {}
        results = []
        for images, samples in each(loader.epoch(0), "evaluation", len(loader), "batch"):
            found = self._detections(net, images.as_in_context(contexts[0]), [sample for sample, _ in samples])
            for (sample, _), one in zip(samples, found, strict=True):
                results += to_results(one, sample.image_id, sample.original, self._category_ids)
        parts = gathered(json.dumps(results).encode(), self._rank, self._size, total)
        results = [entry for part in parts for entry in json.loads(part)]
        kinds = ["bbox", "segm"] if self._net.mask_head else ["bbox"]
        figures = evaluate(self._ground_truth, results, kinds)
        scores: dict[str, Any] = {}
        for kind, measured in figures.items():
            scores.update({f"{kind}_{name}": value for name, value in measured.values.items()})
            scores[f"{kind}_per_class"] = dict(measured.per_class)
        return scores

    def _detections(self, net: Graphs, images: mx.nd.NDArray, samples: Sequence[Any]) -> list[Detections]:
        found = detect(self._net, images, [sample.size for sample in samples], self._inference, net)
        return [in_image(one, sample) for one, sample in zip(found, samples, strict=True)]

    def describe(self, record: Mapping[str, Any], best: Mapping[str, Any]) -> str:
        """Losses and AP of an epoch, and the best AP so far."""
        losses = ", ".join(f"{name.removeprefix('loss_')} {record[f'train_{name}']:.4f}" for name in self._names)
        text = f"train loss {record['train_loss']:.4f} ({losses})"
        for score in (BOX_AP, MASK_AP):
            value = record.get(score.key)
            text += "" if value is None else f", {score.name} {value:.4f}"
        known = self.score.key in best and best[self.score.key] is not None
        return f"{text} (best {self.score.of(best):.4f})" if known else text


def in_image(found: Any, sample: Any) -> Detections:
    """Detections in the pixels of the image that a sample was made of.

    Args:
        found: on the canvas, a `Found`.
        sample: has `scale` and `original`.
    """
    vertical, horizontal = sample.scale
    boxes = found.boxes / np.array([horizontal, vertical, horizontal, vertical], "float32")
    return Detections(boxes.astype("float32"), found.scores, found.labels, found.masks)


def make_example(
    anchors: Callable[[int, int], tuple[np.ndarray, np.ndarray]], options: LearningOptions
) -> Callable[[Any, tuple], Example]:
    """A function (sample, key) -> `Example` for a loader's threads.

    Args:
        anchors: of a canvas, `Detector.anchors`.
        options: how the first stage samples.
    """
    from .targets import anchor_targets

    def make(sample: Any, key: tuple) -> Example:
        objects = sample.objects.selected(~sample.objects.crowd)
        objects = objects.selected((objects.boxes[:, 2:] > objects.boxes[:, :2]).all(axis=1))
        random = np.random.default_rng([*key, 1])
        targets = anchor_targets(anchors(*sample.image.shape[1:])[0], objects.boxes, random, options.anchors)
        masks = {number: objects.rasterized(number) for number, one in enumerate(objects.segments) if one is not None}
        return Example(sample.size, objects.boxes, objects.labels, masks.__getitem__, targets, random)

    return make
