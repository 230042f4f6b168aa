"""The threads of a loader: none outlives its iterator, and their errors reach the caller."""

import threading

import pytest
from numbered_images import loader, noisy

from gluon_attn.utils.parallel import THREAD_NAME


def running():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(THREAD_NAME)]


def test_workers_are_threads_and_end_with_the_epoch():
    names = set()

    def prepare(*arguments):
        names.add(threading.current_thread().name)
        return noisy(*arguments)

    batches = loader(prepare=prepare, num_workers=2).epoch(0)
    next(batches)
    assert running()
    list(batches)
    assert not running()
    assert all(name.startswith(THREAD_NAME) for name in names)


def test_workers_end_when_the_loop_is_left():
    for _ in loader(num_workers=2).epoch(0):
        assert running()
        break
    assert not running()


def test_workers_end_when_the_iterator_is_closed():
    batches = loader(num_workers=2).epoch(0)
    next(batches)
    batches.close()
    assert not running()


def test_workers_end_when_the_loop_fails():
    def loop():
        for _ in loader(num_workers=2).epoch(0):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        loop()
    del caught  # it holds the loop's frame, and that the iterator
    assert not running()


@pytest.mark.parametrize("workers", [0, 2])
def test_a_workers_error_reaches_the_caller_as_it_is(workers):
    error = RuntimeError("broken image")

    def prepare(images, label, rng, epoch, epochs):
        if 7 in label:
            raise error
        return noisy(images, label, rng, epoch, epochs)

    source = loader(train=False, prepare=prepare, batch_size=4, num_workers=workers)
    got = []
    with pytest.raises(RuntimeError) as caught:
        got.extend(label.asnumpy().tolist() for _, label in source.epoch(0))
    assert caught.value is error
    assert got == [[0, 1, 2, 3]]
    assert not running()


def test_leaving_python_in_mid_epoch_ends(run_command):
    """The iterator is still alive when the interpreter stops; its threads must not keep the process."""
    program = """if True:
        import gluon_attn, sys
        from gluon_attn.config.data import DataConfig
        from gluon_attn.data.factory import build
        data = build(DataConfig(dataset="synthetic", batch_size=8, num_workers=2), seed=1)
        batches = data.train.epoch(0)
        next(batches)
        print("got one")
        sys.exit(7)
    """
    done = run_command("-c", program, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (7, "got one"), done.stderr
