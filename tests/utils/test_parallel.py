"""A map by threads: in order, ahead within bounds, and no thread outlives it."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gluon_attn.utils.parallel import THREAD_NAME, map_in_order


def running():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(THREAD_NAME)]


def test_the_work_ahead_is_bounded_and_given_up(monkeypatch):
    """32 workers on 2 cores: 2 threads and 4 results ahead; what no thread has begun is not begun any more."""
    gate, futures = threading.Event(), []

    class Pool(ThreadPoolExecutor):
        def submit(self, *call):
            futures.append(super().submit(*call))
            return futures[-1]

        def shutdown(self, wait, cancel_futures):
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            gate.set()
            super().shutdown(wait=wait)

    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1})
    monkeypatch.setattr("gluon_attn.utils.parallel.ThreadPoolExecutor", Pool)
    work = map_in_order(lambda number: gate.wait() if number else "first", 1000, 32)
    with contextlib.closing(work) as results:
        assert next(results) == "first"
        assert len(futures) == 5
        assert len(running()) <= 2
    assert not running()
    assert futures[3].cancelled()
    assert futures[4].cancelled()


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_results_come_in_order(workers):
    assert list(map_in_order(lambda number: number * number, 50, workers)) == [number**2 for number in range(50)]
    assert list(map_in_order(str, 0, workers)) == []
    assert not running()
