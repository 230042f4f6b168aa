"""A set of images with annotated objects, as the rest of the package uses it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..utils.printable import printable
from .coco_entries import Annotation
from .coco_findings import Findings
from .decode import decode
from .image_notes import BadImage, Note, Notes
from .masks import Segments
from .objects import Objects


@dataclass(frozen=True)
class Table:
    """All annotations of a file, in the order of their images: the fields of `Objects`, and `bbox` as in the file."""

    bbox: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    segments: tuple[Segments, ...]
    area: np.ndarray

    @classmethod
    def of(cls, annotations: Sequence[Annotation]) -> "Table":
        """The table of a list of annotations."""
        return cls(
            np.array([one.bbox for one in annotations], np.float64).reshape(-1, 4),
            np.array([one.box for one in annotations], np.float32).reshape(-1, 4),
            np.array([one.label for one in annotations], np.int32),
            np.array([one.crowd for one in annotations], bool),
            tuple(one.segments for one in annotations),
            np.array([one.area for one in annotations], np.float64),
        )


@dataclass(frozen=True)
class CocoSet:
    """Images with annotated objects. Images stay in their files.

    Attributes:
        path: the JSON file.
        folder: the folder of images.
        class_names: name of each class, in the order of the labels.
        category_ids: the id of each class in the file, in the order of the labels; there may be gaps between them.
        image_ids: (N,) int64, as in the file.
        sizes: (N, 2) int32, (h, w) of each image.
        file_names: path of each image below `folder`.
        starts: (N,) int64, the row of `table` where the objects of each image begin.
        counts: (N,) int64, number of objects of each image.
        table: the objects.
        masks: whether they have masks.
        findings: what of the file was left out or changed, and why.
        note: is told what of an image is not as in its file.
    """

    path: Path
    folder: Path
    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    image_ids: np.ndarray
    sizes: np.ndarray
    file_names: tuple[str, ...]
    starts: np.ndarray
    counts: np.ndarray
    table: Table = dataclasses.field(repr=False)
    masks: bool
    findings: Findings = dataclasses.field(repr=False)
    note: Note = dataclasses.field(default_factory=Notes, repr=False)

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def skipped(self) -> dict[str, int]:
        """What of the file was left out: reason -> number of images or annotations."""
        return self.findings.left_out()

    def name(self, number: int) -> str:
        """Image `number` for messages: its id and path."""
        return f"image {self.image_ids[number]} ({printable(str(self.folder / self.file_names[number]))})"

    def pixels(self, number: int) -> np.ndarray:
        """Image `number`, (H, W, 3) uint8 RGB.

        Raises:
            BadImage: it is missing or no whole image, or not of the size that the JSON file says.
        """
        try:
            image = decode((self.folder / self.file_names[number]).read_bytes(), self.note)
        except OSError as error:
            raise BadImage(error.strerror or str(error)) from None
        height, width = self.sizes[number]
        if image.shape[:2] != (height, width):
            found = f"{image.shape[1]} x {image.shape[0]}"
            turned = ": is it turned by its EXIF data?" if image.shape[:2] == (width, height) else ""
            raise BadImage(f"it has {found} pixels, but {self.path.name} says {width} x {height}{turned}")
        return image

    def objects(self, number: int) -> Objects:
        """The objects of image `number`, crowds among them; their `ids` are those of `ground_truth`."""
        rows, table = self._rows(number), self.table
        return Objects(
            boxes=table.boxes[rows],
            labels=table.labels[rows],
            crowd=table.crowd[rows],
            segments=table.segments[rows],
            area=table.area[rows].astype(np.float32),
            ids=np.arange(rows.start + 1, rows.stop + 1),
            size=(int(self.sizes[number, 0]), int(self.sizes[number, 1])),
        )

    def subset(self, indices: np.ndarray | Sequence[int]) -> "CocoSet":
        """The set of some of the images.

        Args:
            indices: which ones, in this order.
        """
        chosen = np.asarray(indices, np.int64)
        names = tuple(self.file_names[number] for number in chosen)
        arrays = {key: getattr(self, key)[chosen] for key in ("image_ids", "sizes", "starts", "counts")}
        return dataclasses.replace(self, file_names=names, **arrays)

    def with_objects(self) -> np.ndarray:
        """Numbers of the images that have an object which is no crowd, (n,) int64."""
        return np.flatnonzero([not self.table.crowd[self._rows(number)].all() for number in range(len(self))])

    def ground_truth(self) -> dict[str, Any]:
        """The set as pycocotools takes it, for evaluation.

        Annotations are those that were not left out, with box and mask as in the file. Their ids count from 1 (an id of
        0 never matches there); those of images and categories are as in the file.
        """
        rows = [(number, row) for number in range(len(self)) for row in range(*self._rows(number).indices(2**62))]
        images = zip(self.image_ids.tolist(), self.sizes.tolist(), self.file_names, strict=True)
        categories = zip(self.category_ids, self.class_names, strict=True)
        return {
            "info": {},
            "images": [{"id": key, "height": h, "width": w, "file_name": name} for key, (h, w), name in images],
            "annotations": [self._entry(number, row) for number, row in rows],
            "categories": [{"id": category, "name": name} for category, name in categories],
        }

    def _entry(self, number: int, row: int) -> dict[str, Any]:
        table = self.table
        entry = {
            "id": row + 1,
            "image_id": int(self.image_ids[number]),
            "category_id": self.category_ids[table.labels[row]],
            "bbox": table.bbox[row].tolist(),
            "area": float(table.area[row]),
            "iscrowd": int(table.crowd[row]),
        }
        segments = table.segments[row]
        if isinstance(segments, dict):
            entry["segmentation"] = dict(segments)
        elif segments is not None:
            entry["segmentation"] = [polygon.ravel().tolist() for polygon in segments]
        return entry

    def _rows(self, number: int) -> slice:
        start = int(self.starts[number])
        return slice(start, start + int(self.counts[number]))
