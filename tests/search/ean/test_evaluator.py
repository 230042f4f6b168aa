"""Accuracies of schemes on fixed images: correct, evaluated once, shared among processes."""

import mxnet as mx
import pytest

from gluon_attn.search.ean.evaluator import Evaluator
from gluon_attn.utils.errors import UserError


class Toy(mx.gluon.Block):
    """Predicts class 1 if the first value of the image is greater than the number of connected blocks."""

    scheme, calls, blocks, stages = "000", 0, (), ()

    def forward(self, x):
        self.calls += 1
        above = x[:, 0] > self.scheme.count("1")
        return mx.nd.stack(1 - above, above, axis=1)


class Loader:
    """Four images in two batches; counts its epochs."""

    epochs = 0

    def epoch(self, number):
        assert number == 0
        self.epochs += 1
        numbers = mx.nd.array([[0.5], [1.5], [2.5], [3.5]])
        return iter([(numbers[:3], mx.nd.ones(3)), (numbers[3:], mx.nd.ones(1))])


class Process:
    """One of several processes, run one after the other here: `sums` accumulates their numbers."""

    def __init__(self, rank, size, sums):
        self.rank, self.size, self._sums = rank, size, sums

    def allreduce_sum(self, numbers):
        self._sums[:] = [a + b for a, b in zip(self._sums or [0] * len(numbers), numbers, strict=True)]
        return list(self._sums)


def test_each_scheme_is_evaluated_once():
    net, loader = Toy(), Loader()
    evaluator = Evaluator(net, loader)
    assert evaluator(["000", "011", "000"]) == [100, 50, 100]
    assert net.calls == 4
    assert evaluator(["110", "011"]) == [50, 50]
    assert net.calls == 6
    assert loader.epochs == 1
    assert {scheme: score["accuracy"] for scheme, score in evaluator.scores.items()} == {
        "000": 100, "011": 50, "110": 50,
    }  # fmt: skip
    assert evaluator.details("000")["loss"] < evaluator.details("011")["loss"]


def test_images_larger_than_the_limit_are_read_again(monkeypatch):
    monkeypatch.setattr("gluon_attn.search.ean.evaluator._MAX_BYTES", 4)
    loader, net = Loader(), Toy()
    evaluator, cleared = Evaluator(net, loader), []
    monkeypatch.setattr(evaluator._net, "clear", lambda: cleared.append(net.calls))
    assert evaluator(["000", "011"]) == [100, 50]
    assert loader.epochs == 2  # once for both schemes
    assert cleared == [2, 4]  # after each batch
    assert evaluator(["001"]) == [75]
    assert loader.epochs == 3


def test_restored_scores_are_not_evaluated_again():
    net = Toy()
    evaluator = Evaluator(net, Loader())
    evaluator.restore([{"scheme": "111", "accuracy": 12.5, "loss": 3.0, "reward": 1}])
    assert evaluator(["111"]) == [12.5]
    assert evaluator.details("111") == {"loss": 3.0}
    assert net.calls == 0


def test_processes_share_the_work():
    sums, nets, asked = [], [Toy(), Toy(), Toy()], ["000", "011", "111", "000", "001"]
    evaluators = [Evaluator(net, Loader(), backend=Process(rank, 3, sums)) for rank, net in enumerate(nets)]
    found = [evaluator(asked) for evaluator in evaluators]
    assert [net.calls // 2 for net in nets] == [2, 1, 1]
    assert found[-1] == Evaluator(Toy(), Loader())(asked)  # the last one sees all sums
    assert evaluators[-1](asked) == found[-1]
    assert sum(net.calls for net in nets) == 8


def test_no_images():
    class Empty:
        def epoch(self, number):
            return iter([])

    with pytest.raises(UserError, match="no images to evaluate schemes on"):
        Evaluator(Toy(), Empty())
