"""Batches of images with objects, whose content depends on (seed, epoch, image) and nothing else.

An image is changed in the same way whichever batch, process or thread it is in, so two processes see what one with the
same global batch sees.
"""

import contextlib
import functools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import mxnet as mx
import numpy as np

from ..utils.errors import TrainingError, UserError
from ..utils.log import get_logger
from ..utils.parallel import map_in_order
from ..utils.seed import generator
from .canvas import Placement, Sample
from .coco import CocoSet
from .image_notes import BadImage

#: (seed, epoch, number of the image): what everything random about a sample is drawn from
Key = tuple[int, int, int]
#: (sample, key) -> what a task makes of it in the loader's threads, such as targets
Prepare = Callable[[Sample, Key], Any]
#: (images (B, 3, H, W) float32 on the CPU, [(sample, what `Prepare` made of it), ...])
DetectionBatch = tuple[mx.nd.NDArray, list[tuple[Sample, Any]]]

# First integer of each random stream, apart from those of `loader`.
_ORDER, _CHANGE = 11, 12
_NAMED = 3  # images that a message names


class DetectionLoader:
    """Batches of a detection data set for one process; all images of a batch have one canvas.

    In training, images are shuffled in every epoch, and the last, incomplete batch of each canvas is dropped; a canvas
    with fewer images than a batch repeats them, so that none is never seen. In evaluation images come once each, in the
    order of the set within a canvas. Images that cannot be read are left out of their batches.

    The batches of `size` processes are one global batch, of which process `rank` takes its part. In evaluation it takes
    every `size`-th image, and the last processes may have fewer batches: gather after the loop.

    Args:
        images: the data set.
        batch_size: images per batch of this process.
        placement: puts them onto their canvases.
        prepare: makes what else a batch has (default: None for each sample).
        train: for training, else for evaluation.
        seed: seed of the run.
        num_workers: threads that prepare batches; 0 prepares them in the caller's thread.
        max_bad: share of the images that may be unreadable.
        rank: number of this process.
        size: number of processes.

    Raises:
        UserError: there are no images.
    """

    def __init__(
        self,
        images: CocoSet,
        batch_size: int,
        placement: Placement,
        prepare: Prepare | None = None,
        *,
        train: bool,
        seed: int,
        num_workers: int = 0,
        max_bad: float = 0.0,
        rank: int = 0,
        size: int = 1,
    ) -> None:
        if not len(images):
            raise UserError(f"{images.path} has no images")
        self.images, self.placement, self.batch_size = images, placement, batch_size
        self._prepare, self._train, self._seed = prepare, train, seed
        self._num_workers, self._max_bad, self._rank, self._size = num_workers, max_bad, rank, size
        self._canvases = [placement.canvases.of(height, width) for height, width in images.sizes.tolist()]
        self._share = len(range(rank, len(images), size))
        self._length = len(self._batches(0))  # the same in every epoch
        if train and not rank:
            self._tell_repeated()

    def __len__(self) -> int:
        """Number of batches per epoch."""
        return self._length

    def epoch(self, epoch: int, epochs: int | None = None) -> Iterator[DetectionBatch]:
        """One epoch of batches.

        Args:
            epoch: its number, from 0.
            epochs: not used; the trainer gives it to every loader.

        Yields:
            (images, samples), see `DetectionBatch`. Worker threads end with the generator.

        Raises:
            TrainingError: more than the share `max_bad` of the images cannot be read.
        """
        batches = self._batches(epoch)
        make = functools.partial(self._make_batch, epoch, batches)
        unread: list[tuple[str, str]] = []
        with contextlib.closing(map_in_order(make, len(batches), self._num_workers)) as made:
            for images, samples, errors in made:
                unread += errors
                self._check_unread(epoch, unread, empty=images is None)
                if images is not None:
                    yield mx.nd.array(images, ctx=mx.cpu()), samples
        self._tell(epoch, unread)

    def _batches(self, epoch: int) -> list[np.ndarray]:
        """Numbers of the images of each batch of this process."""
        count, whole = len(self.images), self.batch_size * (self._size if self._train else 1)
        if self._train:
            order = generator(self._seed, _ORDER, epoch).permutation(count)
        else:
            order = np.arange(self._rank, count, self._size)
        full, rest = self._grouped(order.tolist(), whole)
        if not self._train:
            return full + rest
        served = {self._canvases[numbers[0]] for numbers in full}
        few = [np.resize(numbers, whole) for numbers in rest if self._canvases[numbers[0]] not in served]
        return [numbers[self._rank :: self._size] for numbers in full + few]

    def _tell_repeated(self) -> None:
        whole = self.batch_size * self._size
        for canvas, count in sorted(Counter(self._canvases).items()):
            if count < whole:
                text = "%d images on the canvas %dx%d are fewer than the %d of a global batch, which repeats them"
                get_logger().warning(text, count, *canvas, whole)

    def _grouped(self, order: list[int], whole: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """(groups of `whole` images of one canvas, as they become complete; what is left of each canvas)."""
        waiting: dict[tuple[int, int], list[int]] = {}
        full = []
        for number in order:
            group = waiting.setdefault(self._canvases[number], [])
            group.append(number)
            if len(group) == whole:
                full.append(np.array(waiting.pop(self._canvases[number])))
        return full, [np.array(group) for group in waiting.values()]

    def _make_batch(
        self, epoch: int, batches: list[np.ndarray], number: int
    ) -> tuple[np.ndarray | None, list[tuple[Sample, Any]], list[tuple[str, str]]]:
        """(images or None where none can be read, samples, (name, reason) of each image that cannot)."""
        samples: list[tuple[Sample, Any]] = []
        errors = []
        for index in batches[number].tolist():
            try:
                samples.append(self._sample(index, epoch))
            except BadImage as error:
                errors.append((self.images.name(index), str(error)))
        return np.stack([sample.image for sample, _ in samples]) if samples else None, samples, errors

    def _sample(self, index: int, epoch: int) -> tuple[Sample, Any]:
        key = (self._seed, epoch, index)
        rng = generator(self._seed, _CHANGE, epoch, index) if self._train else None
        pixels, objects = self.images.pixels(index), self.images.objects(index)
        image_id = int(self.images.image_ids[index])
        sample = self.placement.place(pixels, objects, rng, image_id=image_id, index=index)
        return sample, self._prepare(sample, key) if self._prepare else None

    def _all_images(self, epoch: int) -> str:
        return f"{self._share} training images of epoch {epoch}" if self._train else f"{self._share} test images"

    def _check_unread(self, epoch: int, unread: list[tuple[str, str]], empty: bool) -> None:
        """End a run with too many unreadable images, or one whose other processes would wait for an empty batch."""
        named = _named(unread[-_NAMED:])
        if len(unread) > self._max_bad * self._share:
            most = f"more than {self._max_bad:.4g} of {self._all_images(epoch)}"
            raise TrainingError(f"{most} cannot be read (see option max_bad_images): {named}")
        if empty and self._train and self._size > 1:
            raise TrainingError(f"no image of a batch can be read in epoch {epoch}: {named}")

    def _tell(self, epoch: int, unread: list[tuple[str, str]]) -> None:
        """Say what was left out of an epoch, and why: images now, and entries when the file was read."""
        if unread:
            reasons = Counter(reason for _, reason in unread).most_common(_NAMED)
            why = ", ".join(f"{count} {reason}" for reason, count in reasons)
            told = "were left out" if self._train else "count as images in which nothing is found"
            text = "%d of %s cannot be read and %s (%s): %s"
            get_logger().warning(text, len(unread), self._all_images(epoch), told, why, _named(unread[:_NAMED]))
        summary = self.images.findings.summary()
        if summary and self._train:
            get_logger().warning("epoch %d: %s", epoch, summary)


def _named(unread: list[tuple[str, str]]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in unread)
