"""Both sides of the comparison of COCO evaluations, run by `process`.

    python -m benchmarks.lib.detection_evaluation ours|torchvision

The constructor takes the longer side of the scenes (`size`), the number of `images`, a `folder` for the scenes and the
`file` with detections, which our side makes. "evaluate" goes from detections with masks of 28x28 to COCO's figures:
pasting, encoding, matching. torchvision's is the loop of its references/detection (BSD), written anew here: masks are
pasted and encoded, and pycocotools matches, image by image. "figures" evaluates and gives mask AP and box AP.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.lib.process import serve

_NAMES = ("boxes", "scores", "labels", "masks")
_FALSE = 20  # detections of an image that are none


def make_detections(folder: str, size: int, images: int, file: str) -> None:
    """Draw scenes, and write detections that a fair detector would find in them."""
    from gluon_attn.data.scenes import SceneOptions, open_scenes
    from gluon_attn.detect.mask_targets import mask_target

    test = open_scenes(SceneOptions(1, images, size), folder)[1]
    random, found = np.random.default_rng(1), {}
    for number in range(len(test)):
        objects, (height, width) = test.objects(number), test.sizes[number]
        boxes = objects.boxes + random.normal(0, 1.5, objects.boxes.shape)
        corners = random.uniform(0, 0.8, (_FALSE, 2)) * [width, height]
        others = np.concatenate([corners, corners + random.uniform(10, 60, (_FALSE, 2))], 1)
        boxes = np.concatenate([boxes, others]).clip(0, [width, height] * 2).astype("float32")
        wide = boxes[:, 2:] > boxes[:, :2] + 1
        masks = [mask_target(objects.rasterized(i), boxes[i]) for i in range(len(objects))]
        noise = random.uniform(0, 1, (_FALSE, 28, 28))
        kept = wide.all(1)
        labels = np.concatenate([objects.labels, random.integers(0, 10, _FALSE)]).astype("int32")
        scores = np.concatenate([random.uniform(0.3, 1, len(objects)), random.uniform(0.05, 0.6, _FALSE)])
        order = np.argsort(-scores[kept])
        values = {"boxes": boxes, "labels": labels, "scores": scores.astype("float32"),
                  "masks": np.concatenate([np.array(masks).reshape(-1, 28, 28), noise]).astype("float32")}  # fmt: skip
        found |= {f"{number}/{name}": value[kept][order] for name, value in values.items()}
    np.savez(file, **found)


class Ours:
    """What `train_coco.py` does after the network has found its objects."""

    def __init__(self, size: int, images: int, folder: str, file: str):
        from gluon_attn.data.scenes import SceneOptions, open_scenes
        from gluon_attn.detect.results import Detections

        make_detections(folder, size, images, file)
        self.test = open_scenes(SceneOptions(1, images, size), folder)[1]
        shared = np.load(file)
        self.found = [Detections(*(shared[f"{number}/{name}"] for name in _NAMES)) for number in range(images)]
        self.last: dict[str, Any] = {}

    def evaluate(self) -> None:
        """Evaluate all detections."""
        from gluon_attn.detect.figures import evaluate
        from gluon_attn.detect.results import to_results

        test, results = self.test, []
        for number, one in enumerate(self.found):
            size = tuple(map(int, test.sizes[number]))
            results += to_results(one, int(test.image_ids[number]), size, test.category_ids)
        self.last = evaluate(test.ground_truth(), results, ["bbox", "segm"])

    def figures(self) -> list[float]:
        """Mask AP and box AP."""
        self.evaluate()
        return [self.last[kind].values["mAP"] for kind in ("segm", "bbox")]


class Torchvision:
    """The loop of torchvision's references."""

    def __init__(self, size: int, images: int, folder: str, file: str):
        import torch
        from pycocotools.coco import COCO

        torch.set_num_threads(1)
        self.truth = COCO(str(Path(folder, "annotations", "instances_val2017.json")))
        shared = np.load(file)
        self.found = {
            image_id: {name: torch.from_numpy(shared[f"{number}/{name}"]) for name in _NAMES}
            for number, image_id in enumerate(sorted(self.truth.imgs))
        }
        self.categories = sorted(self.truth.cats)
        self.last: dict[str, Any] = {}

    def evaluate(self) -> None:
        """Evaluate all detections."""
        from pycocotools.cocoeval import COCOeval

        runs = {kind: COCOeval(self.truth, iouType=kind) for kind in ("segm", "bbox")}
        matched: dict[str, list] = {kind: [] for kind in runs}
        for image_id, one in self.found.items():
            entries = self._entries(image_id, one)
            for kind, run in runs.items():
                matched[kind].append(self._match(run, image_id, entries[kind]))
        for kind, run in runs.items():
            run.evalImgs = list(np.concatenate(matched[kind], axis=-1).flatten())
            run.params.imgIds = list(self.found)
            run._paramsEval = run.params
            run.accumulate()
            run.summarize()
        self.last = runs

    def _entries(self, image_id: int, one: dict[str, Any]) -> dict[str, list[dict]]:
        import pycocotools.mask as codec
        from torchvision.models.detection.roi_heads import paste_masks_in_image

        image = self.truth.imgs[image_id]
        masks = paste_masks_in_image(one["masks"][:, None], one["boxes"], (image["height"], image["width"])) > 0.5
        corners, scores = one["boxes"].tolist(), one["scores"].tolist()
        classes = [self.categories[label] for label in one["labels"].tolist()]
        rles = [codec.encode(np.array(mask[0, :, :, None], dtype=np.uint8, order="F"))[0] for mask in masks.numpy()]
        common = [
            {"image_id": image_id, "category_id": kind, "score": score}
            for kind, score in zip(classes, scores, strict=True)
        ]
        boxes = [[x, y, right - x, bottom - y] for x, y, right, bottom in corners]
        texts = [{**rle, "counts": rle["counts"].decode()} for rle in rles]
        return {
            "bbox": [{**entry, "bbox": box} for entry, box in zip(common, boxes, strict=True)],
            "segm": [{**entry, "segmentation": rle} for entry, rle in zip(common, texts, strict=True)],
        }

    def _match(self, run: Any, image_id: int, entries: list[dict]) -> np.ndarray:
        run.cocoDt = self.truth.loadRes(entries)
        run.params.imgIds = [image_id]
        run.evaluate()
        return np.asarray(run.evalImgs).reshape(-1, len(run.params.areaRng), 1)

    def figures(self) -> list[float]:
        """Mask AP and box AP."""
        self.evaluate()
        return [float(self.last[kind].stats[0]) for kind in ("segm", "bbox")]


if __name__ == "__main__":
    serve({"ours": Ours, "torchvision": Torchvision}[sys.argv[1]])
