"""Batches of a detection data set: order, canvases, processes, threads, and images that cannot be read."""

import itertools
import logging

import mxnet as mx
import numpy as np
import pytest
from coco_files import content, entry, write
from photographs import truncate

from gluon_attn.data.canvas import Placement, choose
from gluon_attn.data.coco import open_coco
from gluon_attn.data.detection import DetectionLoader
from gluon_attn.utils.errors import TrainingError, UserError
from gluon_attn.utils.seed import generator

COUNT = 20  # of which 2 of 6 in turn are portraits


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return open_coco(*write(tmp_path_factory.mktemp("data"), content(COUNT)))


def placement(images, **changes):
    fields = {"shorter": (48, 64), "longer": 96, "mean": (0.5, 0.5, 0.5), "std": (0.2, 0.2, 0.2), **changes}
    canvases = choose(images.sizes, fields["shorter"], fields["longer"])
    return Placement(canvases=canvases, **fields)


def loader(images, batch_size=2, train=True, prepare=None, seed=3, shorter=(48, 64), **options):
    place = placement(images, shorter=shorter)
    return DetectionLoader(images, batch_size, place, prepare, train=train, seed=seed, **options)


def numbers(source, epoch=0):
    return [[sample.index for sample, _ in samples] for _, samples in source.epoch(epoch)]


def flat(parts):
    return list(itertools.chain.from_iterable(parts))


def test_a_batch(images):
    batch, samples = next(loader(images).epoch(0))
    assert isinstance(batch, mx.nd.NDArray)
    assert (batch.dtype, batch.context.device_type) == (np.float32, "cpu")
    assert batch.shape[:2] == (2, 3)
    for k, (sample, made) in enumerate(samples):
        np.testing.assert_array_equal(batch[k].asnumpy(), sample.image)
        assert made is None
        assert sample.image_id == images.image_ids[sample.index]
        assert sample.original == tuple(images.sizes[sample.index])
        assert len(sample.objects) == images.counts[sample.index]


def test_training_is_shuffled_anew_and_drops_the_rest_of_each_canvas(images):
    source = loader(images, batch_size=4)
    portraits = int((images.sizes[:, 0] > images.sizes[:, 1]).sum())
    expected = portraits // 4 + (COUNT - portraits) // 4
    first, second = numbers(source, 0), numbers(source, 1)
    assert len(source) == len(first) == len(second) == expected
    assert all(len(part) == 4 for part in first)
    assert len(set(flat(first))) == 4 * expected
    assert first != second
    assert flat(first) != sorted(flat(first))


@pytest.mark.parametrize("train", [True, False])
def test_all_images_of_a_batch_have_one_canvas(images, train):
    shapes = set()
    for batch, samples in loader(images, batch_size=3, train=train).epoch(0):
        tall = {images.sizes[sample.index][0] > images.sizes[sample.index][1] for sample, _ in samples}
        assert len(tall) == 1
        shapes.add(batch.shape[2:])
    assert shapes == {(64, 96), (96, 64)}


def test_evaluation_sees_each_image_once_unchanged_and_in_order(images):
    source = loader(images, batch_size=3, train=False)
    found = [sample for _, samples in source.epoch(0) for sample, _ in samples]
    assert sorted(sample.index for sample in found) == list(range(COUNT))
    assert len(source) == len(list(source.epoch(0)))
    for tall in (True, False):
        chosen = [sample.index for sample in found if (sample.original[0] > sample.original[1]) == tall]
        assert chosen == sorted(chosen)
    assert not any(sample.flipped for sample in found)
    assert max(min(sample.size) for sample in found) == 64
    assert numbers(loader(images, batch_size=1, train=False)) == [[k] for k in range(COUNT)]


def contents(source, epoch=0):
    return [(batch.asnumpy(), [(one.index, one.flipped, one.size, one.objects.boxes) for one, _ in samples])
            for batch, samples in source.epoch(epoch)]  # fmt: skip


def same(first, second):
    np.testing.assert_equal(first, second)
    return True


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing(images, train, workers, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(4)))
    assert same(contents(loader(images, train=train), 2), contents(loader(images, train=train, num_workers=workers), 2))


def test_an_epoch_depends_on_the_seed_and_its_number_alone(images):
    source = loader(images)
    for number in range(3):
        last = contents(source, number)
    assert same(last, contents(loader(images), 2))
    assert numbers(loader(images, seed=4), 2) != numbers(source, 2)


def test_an_image_is_changed_in_the_same_way_in_any_batch(images):
    found = {}
    for size in (1, 2, 3):
        for _, samples in loader(images, batch_size=size).epoch(1):
            for sample, _ in samples:
                before = found.setdefault(sample.index, (sample.size, sample.flipped))
                assert before == (sample.size, sample.flipped)
    assert len(set(found.values())) >= 4
    other = [sample for _, samples in loader(images).epoch(2) for sample, _ in samples]
    assert any(found[sample.index] != (sample.size, sample.flipped) for sample in other)


@pytest.mark.parametrize("size", [2, 4])
def test_the_batches_of_several_processes_are_one_global_batch(images, size):
    whole = numbers(loader(images, batch_size=4), 1)
    parts = [numbers(loader(images, batch_size=4 // size, rank=rank, size=size), 1) for rank in range(size)]
    assert [sorted(flat(step)) for step in zip(*parts, strict=True)] == [sorted(batch) for batch in whole]


def test_processes_share_the_evaluation(images):
    parts = [flat(numbers(loader(images, batch_size=3, train=False, rank=rank, size=3))) for rank in range(3)]
    assert sorted(flat(parts)) == list(range(COUNT))


def test_a_canvas_with_few_images_repeats_them(images):
    portraits = np.flatnonzero(images.sizes[:, 0] > images.sizes[:, 1])
    some = images.subset([*np.flatnonzero(images.sizes[:, 0] <= images.sizes[:, 1])[:8], *portraits[:3]])
    source = loader(some, batch_size=4)
    batches = numbers(source)
    assert len(source) == len(batches) == 3
    (few,) = [batch for batch in batches if max(batch) >= 8]
    assert len(few) == 4
    assert set(few) == {8, 9, 10}


def test_a_set_smaller_than_a_batch_is_one_batch(images):
    assert [sorted(set(batch)) for batch in numbers(loader(images.subset([0, 2]), batch_size=8))] == [[0, 1]]


def test_what_a_task_makes_of_samples_comes_with_them(images):
    def prepare(sample, key):
        return key, generator(*key).integers(1000), len(sample.objects)

    for workers in (0, 2):
        for _, samples in loader(images, prepare=prepare, num_workers=workers).epoch(5):
            for sample, made in samples:
                key = (3, 5, sample.index)
                assert made == (key, generator(*key).integers(1000), len(sample.objects))


def test_an_error_of_the_task_is_handed_on(images):
    def prepare(sample, key):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(loader(images, prepare=prepare, num_workers=2).epoch(0))


def test_no_images(images):
    with pytest.raises(UserError, match=r"train.json has no images"):
        DetectionLoader(images.subset([]), 2, placement(images), train=True, seed=0)


@pytest.fixture
def damaged(tmp_path):
    """A set of which image 2 is missing and image 3 is cut off."""
    path, folder = write(tmp_path, content(COUNT))
    (folder / "0002.jpg").unlink()
    truncate(folder / "0003.jpg")
    return open_coco(path, folder)


@pytest.mark.parametrize("train", [True, False])
def test_images_that_cannot_be_read_are_left_out_and_told(damaged, train, caplog):
    source = loader(damaged, batch_size=1, train=train, max_bad=0.2)
    for epoch in range(2):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            left = sorted(flat(numbers(source, epoch)))
        assert left == [k for k in range(COUNT) if k not in (2, 3)]
        (line,) = [record.getMessage() for record in caplog.records]
        which = f"20 training images of epoch {epoch}" if train else "20 test images"
        told = "were left out" if train else "count as images in which nothing is found"
        assert line.startswith(f"2 of {which} cannot be read and {told} (")
        assert "1 No such file or directory" in line
        assert "image 11 (" in line
        assert "image 14 (" in line
        assert "0003.jpg): not a whole JPEG file" in line


def test_batches_keep_the_images_that_can_be_read(damaged):
    batches = numbers(loader(damaged, batch_size=20, train=False, max_bad=1.0))
    assert len(flat(batches)) == COUNT - 2


def test_too_many_of_them_end_the_run(damaged):
    with pytest.raises(TrainingError, match=r"more than 0.05 of 20 training images of epoch 0 .*max_bad_images"):
        numbers(loader(damaged, batch_size=1, max_bad=0.05))


def test_several_processes_do_not_wait_for_an_empty_batch(damaged):
    some = damaged.subset([2, 2, 2, 2])
    with pytest.raises(TrainingError, match="no image of a batch can be read in epoch 0"):
        numbers(loader(some, batch_size=1, max_bad=1.0, size=2))
    assert numbers(loader(some, batch_size=1, max_bad=1.0)) == []


def test_annotations_left_out_are_told_at_the_end_of_each_training_epoch(tmp_path, caplog):
    data = content(COUNT)
    data["annotations"] += [entry(500, 11), entry(501, 11)]
    path, folder = write(tmp_path, data)
    path.write_text(path.read_text().replace('"bbox": [10, 12, 20, 16]', '"bbox": [10, 12, 0, 16]'))
    source = loader(open_coco(path, folder), batch_size=1)
    caplog.clear()
    numbers(source, 4)
    assert caplog.text.count("epoch 4: left out of ") == 1
    assert "train.json when it was read: 2 annotations (bbox has no width or no height)" in caplog.text
