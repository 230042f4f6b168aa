"""The annotated objects of one image, and what happens to them when the image is resized, mirrored or cut down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from .masks import Segments, rasterized, to_rle


@dataclass(frozen=True)
class Objects:
    """Objects in the frame of an image of `size`.

    Attributes:
        boxes: (n, 4) float32 x1, y1, x2, y2 in pixels, a box of one pixel being one wide.
        labels: (n,) int32, index into the class names; the background is none of them.
        crowd: (n,) bool, whether it is a group whose members are not told apart.
        segments: per object its mask, see `masks.Segments`; None where it has none.
        area: (n,) float32, COCO's field: that of the mask in pixels.
        ids: (n,) int64, number of the annotation in the ground truth.
        size: (h, w) of the image.
    """

    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    segments: tuple[Segments, ...]
    area: np.ndarray
    ids: np.ndarray
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.labels)

    def selected(self, indices: np.ndarray | Sequence[int]) -> "Objects":
        """Some of the objects.

        Args:
            indices: which ones, integers in the wanted order or (n,) bool.
        """
        chosen = np.asarray(indices)
        numbers = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.int64)
        return Objects(
            self.boxes[numbers],
            self.labels[numbers],
            self.crowd[numbers],
            tuple(self.segments[number] for number in numbers),
            self.area[numbers],
            self.ids[numbers],
            self.size,
        )

    def resized(self, scale_y: float, scale_x: float, size: tuple[int, int] | None = None) -> "Objects":
        """The objects of the resized image.

        Args:
            scale_y: new height over old height.
            scale_x: new width over old width.
            size: the new (h, w); default: the scaled one, rounded.
        """
        height, width = size or (round(self.size[0] * scale_y), round(self.size[1] * scale_x))
        if (height, width) == self.size and scale_y == scale_x == 1:
            return self
        factors = np.array([scale_x, scale_y])

        def nearest(mask: np.ndarray) -> np.ndarray:
            return cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)

        return replace(
            self,
            boxes=(self.boxes * np.tile(factors, 2)).astype(np.float32),
            segments=self._moved(lambda polygon: polygon * factors, nearest),
            area=(self.area * (scale_x * scale_y)).astype(np.float32),
            size=(height, width),
        )

    def flipped(self, width: int | None = None) -> "Objects":
        """The objects of the image mirrored left to right.

        Args:
            width: of the image (default: that in `size`).
        """
        width = self.size[1] if width is None else width
        x1, y1, x2, y2 = self.boxes.T
        return replace(
            self,
            boxes=np.stack([width - x2, y1, width - x1, y2], axis=1).astype(np.float32),
            segments=self._moved(lambda polygon: polygon * [-1, 1] + [width, 0], lambda mask: mask[:, ::-1]),
        )

    def rasterized(self, number: int, size: tuple[int, int] | None = None) -> np.ndarray:
        """The mask of object `number` as an image.

        Args:
            number: which object.
            size: (h, w) of the result (default: that of the image). A mask of polygons can be drawn on a larger or
                smaller one, cut at its right and lower edge; run lengths get zeros there.

        Returns:
            (h, w) uint8, 0 or 1.

        Raises:
            ValueError: the object has no mask.
        """
        segments, size = self.segments[number], size or self.size
        if not isinstance(segments, dict) or size == self.size:
            return rasterized(segments, *size)
        mask, result = rasterized(segments, *self.size), np.zeros(size, np.uint8)
        rows, columns = (min(pair) for pair in zip(size, self.size, strict=True))
        result[:rows, :columns] = mask[:rows, :columns]
        return result

    def _moved(
        self, points: Callable[[np.ndarray], np.ndarray], pixels: Callable[[np.ndarray], np.ndarray]
    ) -> tuple[Segments, ...]:
        """The masks, with polygons changed by one function and those of run lengths, as images, by the other."""

        def moved(segments: Segments) -> Segments:
            if isinstance(segments, dict):
                return to_rle(pixels(rasterized(segments, *self.size)))
            return None if segments is None else [points(polygon) for polygon in segments]

        return tuple(map(moved, self.segments))


def no_objects(size: tuple[int, int]) -> Objects:
    """The objects of an image without any.

    Args:
        size: (h, w) of the image.
    """
    return Objects(
        np.zeros((0, 4), np.float32),
        np.zeros(0, np.int32),
        np.zeros(0, bool),
        (),
        np.zeros(0, np.float32),
        np.zeros(0, np.int64),
        size,
    )
