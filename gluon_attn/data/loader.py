"""Batches whose order and random changes depend on (seed, rank, epoch, batch) and nothing else.

So batch k of epoch e is the same with any number of workers, and an epoch does not depend on those before it.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..utils.errors import TrainingError, UserError
from ..utils.log import get_logger
from ..utils.parallel import map_in_order
from ..utils.seed import generator
from .base import ImageSet
from .to_mxnet import to_mxnet

#: What a loader yields. Loader and task agree on its parts: for classification they are (images, labels). A part is an
#: NDArray whose first axis is the batch, or a list with one NDArray per image where sizes differ (boxes of a detector).
Batch = tuple[Any, ...]
#: (images (B, H, W, 3) uint8, labels (B,) int32, rng, epoch, epochs of the run or None) -> the parts of a batch, as
#: NumPy arrays or lists of them
Prepare = Callable[[np.ndarray, np.ndarray, np.random.Generator, int, int | None], tuple[Any, ...]]

# First integer of each random stream. Their lengths would not tell two apart: seed sequences are padded with 0.
_ORDER, _CHANGE = 1, 2
_NAMED = 3  # images that a message names


class Loader:
    """Batches of an image set for one process.

    In training, images are shuffled in every epoch and the last, incomplete batch is dropped (a set smaller than one
    batch is one batch). In evaluation they come in order, each once. Images that cannot be read are left out of their
    batches, and a warning at the end of the epoch names some.

    Process `rank` of `size` takes every `size`-th image. In training all processes have equally many batches; in
    evaluation the last processes may have one image, and so one batch, less: reduce sums after the loop.

    Args:
        images: the image set.
        batch_size: images per batch of this process.
        prepare: makes the parts of a batch from raw pixels and labels, see `Prepare`.
        train: for training, else for evaluation.
        seed: seed of the run.
        num_workers: threads that prepare batches; 0 prepares them in the caller's thread.
        max_bad: share of this process's images that may be unreadable.
        rank: number of this process.
        size: number of processes.
        repeats: in training each drawn image comes this often in a row, changed at random each time, and an epoch has
            so many fewer images; the copies go to different processes. Hoffer et al. 2019,
            https://arxiv.org/abs/1901.09335; as timm's `RepeatAugSampler`.
        progressive_sizes: (H, W) of smaller images to train on first. The epochs of a run are shared evenly among
            them, in this order, and the set's own size.

    Raises:
        UserError: there are fewer training images than processes or repeats.
    """

    def __init__(
        self,
        images: ImageSet,
        batch_size: int,
        prepare: Prepare,
        *,
        train: bool,
        seed: int,
        num_workers: int = 0,
        max_bad: float = 0.0,
        rank: int = 0,
        size: int = 1,
        repeats: int = 1,
        progressive_sizes: Sequence[tuple[int, int]] = (),
    ) -> None:
        self._images, self._prepare, self._train = images, prepare, train
        self._progressive_sizes = tuple(progressive_sizes)
        self._seed, self._rank, self._size = seed, rank, size
        self._repeats = repeats
        self._num_workers, self._max_bad = num_workers, max_bad
        self._share = len(images) // size if train else len(range(rank, len(images), size))
        if train and not self._share:
            raise UserError(
                f"{len(images)} training images cannot be shared by {size} processes; start fewer processes"
            )
        if train and repeats > len(images):
            raise UserError(
                f"option aug_repeats {repeats} is more than the {len(images)} training images, so that an epoch would "
                "have one image only: take fewer"
            )
        self._batch_size = min(batch_size, self._share) if train else batch_size

    @property
    def images(self) -> ImageSet:
        """The images, of which each process takes its share."""
        return self._images

    @property
    def batch_size(self) -> int:
        """Images per batch of this process, over all its devices."""
        return self._batch_size

    def __len__(self) -> int:
        """Number of batches per epoch."""
        full, rest = divmod(self._share, self._batch_size)
        return full + (rest > 0 and not self._train)

    def epoch(self, epoch: int, epochs: int | None = None) -> Iterator[Batch]:
        """One epoch of batches.

        Args:
            epoch: its number, from 0.
            epochs: number of epochs of the run, or None outside of one.

        Yields:
            A `Batch` on the CPU. For classification: images (B, 3, H, W) float32 and labels float32, (B,) class indices
            or (B, classes) soft labels. Worker threads end with the generator.

        Raises:
            TrainingError: more than the share `max_bad` of the images cannot be read.
        """
        indices, size = self._indices(epoch), self._image_size(epoch, epochs)
        make = functools.partial(self._make_batch, indices, epoch, epochs, size)
        unread: list[str] = []
        with contextlib.closing(map_in_order(make, len(self), self._num_workers)) as batches:
            for parts, errors in batches:
                unread += errors
                self._check_unread(epoch, unread, empty=parts is None)
                if parts is not None:
                    yield tuple(map(to_mxnet, parts))
        if unread:
            message = "%d of %s cannot be read and were left out: %s"
            get_logger().warning(message, len(unread), self._all_images(epoch), "; ".join(unread[:_NAMED]))

    def _all_images(self, epoch: int) -> str:
        return f"{self._share} training images of epoch {epoch}" if self._train else f"{self._share} test images"

    def _check_unread(self, epoch: int, unread: list[str], empty: bool) -> None:
        """End a run with too many unreadable images, or one whose other processes would wait for an empty batch."""
        named = "; ".join(unread[-_NAMED:])
        if len(unread) > self._max_bad * self._share:
            most = f"more than {self._max_bad:.4g} of {self._all_images(epoch)}"
            raise TrainingError(f"{most} cannot be read (see option max_bad_images): {named}")
        if empty and self._train and self._size > 1:
            raise TrainingError(f"no image of a batch can be read in epoch {epoch}: {named}")

    def _indices(self, epoch: int) -> np.ndarray:
        count = len(self._images)
        if not self._train:
            return np.arange(self._rank, count, self._size)
        order = generator(self._seed, _ORDER, epoch).permutation(count)[: -(-count // self._repeats)]
        return np.repeat(order, self._repeats)[:count][self._rank :: self._size]

    def _image_size(self, epoch: int, epochs: int | None) -> tuple[int, int] | None:
        """Smaller size of an epoch's images, or None; the first epoch of each size is logged."""
        if not self._progressive_sizes or epochs is None:
            return None
        phases = len(self._progressive_sizes) + 1
        phase = epoch * phases // epochs
        size = (*self._progressive_sizes, None)[phase]
        if epoch == 0 or (epoch - 1) * phases // epochs < phase:
            get_logger().info("from epoch %d on training images are %dx%d", epoch, *(size or self._images.size))
        return size

    def _make_batch(
        self, indices: np.ndarray, epoch: int, epochs: int | None, size: tuple[int, int] | None, number: int
    ) -> tuple[tuple[Any, ...] | None, list[str]]:
        """(parts of batch `number`, or None where no image can be read; errors)."""
        chosen = indices[number * self._batch_size : (number + 1) * self._batch_size]
        rng = generator(self._seed, _CHANGE, self._rank, epoch, number)
        images, labels, errors = self._images.take(chosen, rng, size)
        return self._prepare(images, labels, rng, epoch, epochs) if len(labels) else None, errors
