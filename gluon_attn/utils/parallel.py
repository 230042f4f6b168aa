"""A map over integers by threads, in order and with bounded memory."""

import os
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

THREAD_NAME = "gluon-attn-data"


def map_in_order(function: Callable[[int], T], count: int, workers: int) -> Generator[T, None, None]:
    """Yield function(0) ... function(count - 1) in order, computed ahead by threads.

    More threads than cores would only cost memory, so there are at most that many, each two results ahead. No thread
    outlives the generator: they end when it is exhausted, closed or dropped, or fails.

    Args:
        function: called in the threads.
        count: number of calls.
        workers: number of threads at most; 0 calls `function` in the caller's thread.

    Yields:
        The results in the order of their numbers.

    Raises:
        Exception: whatever `function` raises, unchanged, in its turn.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = min(workers, count, cores)
    if not workers:
        yield from map(function, range(count))
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix=THREAD_NAME)
    waiting: deque[Future[T]] = deque()
    try:
        for number in range(count):
            waiting.append(pool.submit(function, number))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
