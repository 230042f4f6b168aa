"""Bytes of several processes, joined by sums."""

import threading

import numpy as np
import pytest

from gluon_attn.detect import gather


def test_one_process_has_its_own():
    assert gather.gathered(b"abc", 0, 1, lambda numbers: pytest.fail("nothing to sum")) == [b"abc"]


@pytest.mark.parametrize("parts", [[b"one", b"", b"three" * 50], [b"", b"", b""]])
def test_each_process_has_what_all_gave(parts, monkeypatch):
    monkeypatch.setattr(gather, "_CHUNK", 7)
    barrier, lists, found = threading.Barrier(len(parts)), [None] * len(parts), [None] * len(parts)

    def process(rank):
        def total(numbers):
            lists[rank] = numbers
            barrier.wait()
            joined = np.sum(lists, axis=0).tolist()
            barrier.wait()
            return joined

        found[rank] = gather.gathered(parts[rank], rank, len(parts), total)

    threads = [threading.Thread(target=process, args=(rank,)) for rank in range(len(parts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [parts] * len(parts)
