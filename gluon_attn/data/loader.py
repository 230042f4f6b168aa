"""Batches in an order and with random changes that follow from (seed, rank, epoch, batch) and nothing else.

So batch k of epoch e is the same with any number of workers, and any epoch can be had without those before.
"""

import contextlib
import functools
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import mxnet as mx
import numpy as np

from ..utils.errors import TrainingError, UserError
from ..utils.log import get_logger
from ..utils.seed import generator

# First integer of each random stream. Its length would not tell two apart: seed sequences are padded with 0.
_ORDER, _CHANGE = 1, 2

THREAD_NAME = "gluon-attn-data"
_NAMED = 3


class Loader:
    """Batches of one set of images (see `base`) for one process.

    `prepare(images, labels, rng, epoch, epochs)` makes the two NumPy arrays of a batch from raw pixels
    (B, H, W, 3) uint8 and labels (B,) int32. With `train` the images are shuffled anew in each epoch and the
    last, incomplete batch is dropped (a set smaller than one batch is one batch); without, they come in
    order, each once. Images that cannot be read are left out of their batches and told of at the epoch's end; more
    than the share `max_bad` of this process's images are a `TrainingError`.

    sizes: (height, width) of smaller images to train on first. The epochs of a run are shared evenly among them and
    the set's own size, in this order.

    Process `rank` of `size` takes every `size`-th image. In training all processes have equally many batches;
    in validation the last processes may have one image, and so one batch, less: reduce sums after the loop.
    """

    def __init__(
        self, images, batch_size, prepare, *, train, seed, num_workers=0, max_bad=0.0, rank=0, size=1, sizes=()
    ):  # fmt: skip
        self._images, self._prepare, self._train, self._sizes = images, prepare, train, sizes
        self._seed, self._rank, self._size = seed, rank, size
        self._num_workers, self._max_bad = num_workers, max_bad
        self._share = len(images) // size if train else len(range(rank, len(images), size))
        if train and not self._share:
            raise UserError(
                f"{len(images)} training images cannot be shared by {size} processes; start fewer processes"
            )
        self._batch_size = min(batch_size, self._share) if train else batch_size

    def __len__(self):
        """Number of batches in an epoch."""
        full, rest = divmod(self._share, self._batch_size)
        return full + (rest > 0 and not self._train)

    def epoch(self, epoch, epochs=None):
        """Yield `(data, label)` NDArrays on the CPU for one epoch; `epochs` is how many the run has.

        data (B, 3, H, W) float32; label float32, (B,) class indices or (B, classes) soft labels. Worker
        threads end with the generator: when it is exhausted, closed or dropped, or fails.
        """
        indices, size = self._indices(epoch), self._size_of(epoch, epochs)
        make = functools.partial(self._batch, indices, epoch, epochs, size)
        unread = []
        with contextlib.closing(map_in_order(make, len(self), self._num_workers)) as batches:
            for data, label, complaints in batches:
                unread += complaints
                self._judge(epoch, unread, empty=not len(label))
                if len(label):
                    yield mx.nd.array(data, ctx=mx.cpu()), mx.nd.array(label, ctx=mx.cpu())
        if unread:
            message = "%d of %s cannot be read and were left out: %s"
            get_logger().warning(message, len(unread), self._all(epoch), "; ".join(unread[:_NAMED]))

    def _all(self, epoch):
        return f"{self._share} training images of epoch {epoch}" if self._train else f"{self._share} test images"

    def _judge(self, epoch, unread, empty):
        named = "; ".join(unread[-_NAMED:])
        if len(unread) > self._max_bad * self._share:
            most = f"more than {self._max_bad:.4g} of {self._all(epoch)}"
            raise TrainingError(f"{most} cannot be read (see --max-bad-images): {named}")
        if empty and self._train and self._size > 1:  # the other processes would wait for this one for ever
            raise TrainingError(f"no image of a batch can be read in epoch {epoch}: {named}")

    def _indices(self, epoch):
        count = len(self._images)
        if not self._train:
            return np.arange(self._rank, count, self._size)
        order = generator(self._seed, _ORDER, epoch).permutation(count)
        return order[self._rank :: self._size]

    def _size_of(self, epoch, epochs):
        """The smaller size of an epoch's images, or None; in the first epoch of a size it is said."""
        if not self._sizes or epochs is None:
            return None
        phases = len(self._sizes) + 1
        phase = epoch * phases // epochs
        size = (*self._sizes, None)[phase]
        if epoch == 0 or (epoch - 1) * phases // epochs < phase:
            get_logger().info("from epoch %d on training images are %dx%d", epoch, *(size or self._images.size))
        return size

    def _batch(self, indices, epoch, epochs, size, number):
        chosen = indices[number * self._batch_size : (number + 1) * self._batch_size]
        rng = generator(self._seed, _CHANGE, self._rank, epoch, number)
        images, labels, complaints = self._images.take(chosen, rng, size)
        data, label = self._prepare(images, labels, rng, epoch, epochs) if len(labels) else (images, labels)
        return data, label, complaints


def map_in_order(function, count, workers):
    """Yield function(0) ... function(count - 1) in order, computed ahead by up to `workers` threads.

    More threads than cores only cost memory here, so there are at most that many, two results ahead each.
    An error in `function` is raised as it is, in its turn. No thread outlives the generator.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    workers = min(workers, count, cores)
    if not workers:
        yield from map(function, range(count))
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix=THREAD_NAME)
    waiting = deque()
    try:
        for number in range(count):
            waiting.append(pool.submit(function, number))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
