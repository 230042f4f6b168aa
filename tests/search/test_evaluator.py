"""Accuracies of schemes on a fixed set: right, and asked for once."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.search.evaluator import Evaluator, subset
from gluon_attn.utils.errors import UserError


class Toy(mx.gluon.Block):
    """Answers class 1 where the image's first number is above the scheme's ones."""

    scheme, calls = "000", 0

    def forward(self, x):
        self.calls += 1
        above = x[:, 0] > self.scheme.count("1")
        return mx.nd.stack(1 - above, above, axis=1)


def batches():
    numbers = mx.nd.array([[0.5], [1.5], [2.5], [3.5]])
    return [(numbers[:3], mx.nd.ones(3)), (numbers[3:], mx.nd.ones(1))]


def test_accuracies_once_each():
    net = Toy()
    evaluator = Evaluator(net, batches())
    assert evaluator(["000", "011", "000"]) == [100, 50, 100]
    assert net.calls == 4
    assert evaluator(["110", "011"]) == [50, 50]
    assert net.calls == 6
    assert evaluator.known == {"000": 100, "011": 50, "110": 50}


def test_what_is_known_is_not_asked_for():
    net = Toy()
    assert Evaluator(net, batches(), known={"111": 12.5})(["111"]) == [12.5]
    assert net.calls == 0


class Loader:
    def epoch(self, number):
        assert number == 0
        return iter([(np.zeros((4, 1)), np.full(4, i)) for i in range(5)])


@pytest.mark.parametrize(("images", "count"), [(None, 5), (1, 1), (8, 2), (9, 3), (99, 5)])
def test_a_subset(images, count):
    assert [label[0] for _, label in subset(Loader(), images)] == list(range(count))


def test_no_images():
    with pytest.raises(UserError, match="no images to evaluate schemes on"):
        Evaluator(Toy(), [])
