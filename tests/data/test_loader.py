"""Order, shards, independence of workers, and the sizes of images."""

import gc
import itertools
import weakref

import mxnet as mx
import numpy as np
import pytest
from numbered_images import loader

from gluon_attn.data.base import ArraySet
from gluon_attn.data.loader import Loader
from gluon_attn.utils.errors import UserError


def epoch(source, *which):
    return [(data.asnumpy(), label.asnumpy()) for data, label in source.epoch(*which)]


def labels(source, *which):
    return [label.tolist() for _, label in epoch(source, *which)]


def flat(parts):
    return list(itertools.chain.from_iterable(parts))


def same(first, second):
    return len(first) == len(second) and all(
        np.array_equal(a, b) for one, two in zip(first, second, strict=True) for a, b in zip(one, two, strict=True)
    )


def test_batches_are_float32_on_the_cpu():
    data, label = next(loader().epoch(0))
    assert (data.shape, label.shape) == ((8, 3, 2, 2), (8,))
    assert data.dtype == label.dtype == np.float32
    assert data.context.device_type == "cpu"


def test_arrays_that_only_a_batch_has_are_not_copied_and_end_with_it():
    """Others are copied: a data set may keep them."""
    kept, gone = np.arange(8, dtype=np.float32), []

    def prepare(images, labels, rng, epoch, epochs):
        data = np.full((8, 5), epoch, np.float32)
        gone.append(weakref.ref(data))
        return data, kept[::-1], kept[2:], labels

    images = ArraySet(np.zeros((8, 2, 2, 3), np.uint8), np.arange(8, dtype=np.int32))
    batch = next(Loader(images, 8, prepare, train=False, seed=1).epoch(7))
    assert gone[0]() is not None
    part = batch[0][2:4]
    np.testing.assert_array_equal(batch[1].asnumpy(), kept[::-1])
    np.testing.assert_array_equal(batch[2].asnumpy(), kept[2:])
    assert batch[3].dtype == np.float32
    batch[2][:] = -1
    np.testing.assert_array_equal(kept, range(8))
    del batch
    assert part.asnumpy().tolist() == [[7] * 5] * 2
    del part
    mx.nd.waitall()
    gc.collect()
    assert gone[0]() is None


def test_images_keep_their_labels():
    for data, label in epoch(loader(), 0):
        np.testing.assert_array_equal(data[:, 0, 0, 0] // 1, label)


def test_training_is_shuffled_anew_and_drops_the_rest():
    source = loader()
    first, second = labels(source, 0), labels(source, 1)
    assert len(source) == len(first) == 6
    assert [len(part) for part in first] == [8] * 6
    for part in (first, second):
        assert len(set(flat(part))) == 48
        assert flat(part) != sorted(flat(part))
    assert first != second


def test_validation_is_in_order_and_whole():
    source = loader(train=False)
    assert flat(labels(source, 0)) == list(range(50))
    assert [len(part) for part in labels(source, 5)] == [8] * 6 + [2]
    assert len(source) == 7


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("workers", [1, 3, 32])
def test_workers_change_nothing(train, workers, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(8)))
    assert same(epoch(loader(train=train), 4), epoch(loader(train=train, num_workers=workers), 4))


def test_an_epoch_does_not_depend_on_those_before():
    source = loader(num_workers=2)
    for number in range(3):
        last = epoch(source, number)
    assert same(last, epoch(loader(), 2))
    assert same(last, epoch(source, 2))


def test_each_batch_seed_and_epoch_has_its_own_noise():
    def noise(source, which):
        return [data.tobytes() for data, _ in epoch(source, which)]

    def prepare(images, label, rng, epoch, epochs):
        return rng.random(images.shape, np.float32), label.astype(np.float32)

    drawn = [*noise(loader(prepare=prepare), 0), *noise(loader(prepare=prepare), 1)]
    drawn += noise(loader(prepare=prepare, seed=4), 0)
    for rank in range(2):
        drawn += noise(loader(prepare=prepare, seed=5, rank=rank, size=2), 0)
    assert len(set(drawn)) == len(drawn) == 6 + 6 + 6 + 2 * 3
    assert labels(loader(), 0) != labels(loader(seed=4), 0)


@pytest.mark.parametrize(("count", "size"), [(50, 2), (51, 2), (50, 3), (50, 7)])
def test_training_shards_are_equal_and_disjoint(count, size):
    parts = [labels(loader(count, 4, rank=rank, size=size), 1) for rank in range(size)]
    assert {len(part) for part in parts} == {count // size // 4}
    everything = flat(flat(parts))
    assert len(set(everything)) == len(everything)


@pytest.mark.parametrize(("count", "size"), [(50, 2), (51, 2), (50, 7), (2, 3)])
def test_validation_shards_hold_each_image_once(count, size):
    parts = [loader(count, 4, train=False, rank=rank, size=size) for rank in range(size)]
    assert sorted(flat(flat(labels(part, 0) for part in parts))) == list(range(count))
    assert [len(part) for part in parts] == [len(labels(part, 0)) for part in parts]


def test_processes_share_one_order():
    whole = flat(labels(loader(48, 48), 2))
    for rank in range(3):
        assert flat(labels(loader(48, 16, rank=rank, size=3), 2)) == whole[rank::3]


def test_a_set_smaller_than_a_batch_is_one_batch():
    source = loader(5, 64)
    assert len(source) == 1
    assert sorted(labels(source, 0)[0]) == [0, 1, 2, 3, 4]


def test_too_many_processes():
    with pytest.raises(UserError, match="3 training images cannot be shared by 4 processes"):
        loader(3, rank=0, size=4)


def test_prepare_is_told_the_epoch():
    told = []

    def prepare(images, label, rng, epoch, epochs):
        told.append((epoch, epochs))
        return images.astype(np.float32), label.astype(np.float32)

    list(loader(8, prepare=prepare).epoch(3, 9))
    list(loader(8, prepare=prepare).epoch(4))
    assert told == [(3, 9), (4, None)]


def sizes(source, *which):
    return {data.shape[2:] for data, _ in source.epoch(*which)}


def plain(images, labels, rng, epoch, epochs):
    return images.transpose(0, 3, 1, 2).astype(np.float32), labels.astype(np.float32)


@pytest.mark.parametrize(
    ("epochs", "expected"), [(3, [(4, 4), (5, 6), (8, 8)]), (7, [(4, 4)] * 3 + [(5, 6)] * 2 + [(8, 8)] * 2)]
)
def test_training_images_grow(epochs, expected, caplog):
    images = ArraySet(np.zeros((20, 8, 8, 3), np.uint8), np.zeros(20, np.int32))
    source = Loader(images, 8, plain, train=True, seed=1, progressive_sizes=((4, 4), (5, 6)))
    with caplog.at_level("INFO"):
        assert [sizes(source, epoch, epochs) for epoch in range(epochs)] == [{size} for size in expected]
    starts = [f"from epoch {expected.index((h, w))} on training images are {h}x{w}" for h, w in dict.fromkeys(expected)]
    assert [record.getMessage() for record in caplog.records] == starts
    assert sizes(source, 0) == {(8, 8)}  # no run, no share of its epochs


@pytest.mark.parametrize(("repeats", "size"), [(3, 1), (2, 2), (4, 3)])
def test_repeated_images_come_in_a_row_each_changed_anew(repeats, size):
    """The batches of all processes together hold the same number of images as without."""
    shards = [epoch(loader(rank=rank, size=size, repeats=repeats), 3) for rank in range(size)]
    assert {len(shard) for shard in shards} == {len(loader(size=size))}
    taken = [flat(label.tolist() for _, label in shard) for shard in shards]
    order = [int(label) for label in flat(zip(*taken, strict=True))]
    expected = [label for label, group in itertools.groupby(order) for _ in range(repeats)][: len(order)]
    assert order == expected
    assert len(set(order)) == -(-len(order) // repeats)
    data, label = (np.concatenate(parts) for parts in zip(*flat(shards), strict=True))
    copies = data[label == order[0]]
    assert len(copies) == repeats
    assert len(np.unique(copies, axis=0)) == repeats  # each with its own noise
    again = epoch(loader(rank=0, size=size, repeats=repeats, num_workers=3), 3)
    assert same(shards[0], again)


@pytest.mark.parametrize("repeats", [4, 10**12])
def test_more_repeats_than_images_are_refused(repeats):
    assert len(set(flat(labels(loader(3, repeats=3), 1)))) == 1
    with pytest.raises(UserError, match=f"option aug_repeats {repeats} is more than the 3 training images"):
        loader(3, repeats=repeats)


def test_the_copies_of_an_image_go_to_different_processes():
    first, second = (flat(labels(loader(rank=rank, size=2, repeats=2), 3)) for rank in (0, 1))
    assert first == second  # one copy each
    assert len(set(first)) == len(first)
