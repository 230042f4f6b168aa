import numpy as np
import pytest

from gluon_attn.config.card import Card
from gluon_attn.data.base import ArraySet
from gluon_attn.deploy import evaluate
from gluon_attn.utils.errors import UserError


class Fixed:
    """A predictor that knows its logits."""

    def __init__(self, logits, card):
        self.logits, self.card = np.array(logits, np.float32), card

    def predict(self, images, batch_size):
        return self.logits[: len(images)]


def test_score_counts():
    card = Card(classes=6)
    logits = [[9, 5, 4, 3, 2, 1], [9, 5, 4, 3, 2, 1], [9, 5, 4, 3, 2, 1], [1, 2, 3, 4, 5, 6]]

    def images(*labels):
        return ArraySet(np.zeros((4, 1, 1, 3), np.uint8), np.array(labels, np.int32))

    result = evaluate.evaluate_predictor(Fixed(logits, card), images(0, 4, 5, 5))
    assert (result.images, result.correct, result.among_five) == (4, 2, 3)
    assert result.to_dict()["accuracy"] == 0.5
    with pytest.raises(UserError, match="7 classes or more"):
        evaluate.evaluate_predictor(Fixed(logits, card), images(0, 4, 5, 6))
    few = evaluate.evaluate_predictor(Fixed([row[:5] for row in logits], card.replace(classes=5)), images(0, 1, 1, 4))
    assert few.among_five is None
    assert "top5" not in few.to_dict()
    assert few.confusion.tolist() == [[1, 0, 0, 0, 0], [2, 0, 0, 0, 0], [0] * 5, [0] * 5, [0, 0, 0, 0, 1]]


def test_classes_worst_first():
    rows = evaluate.by_class(np.array([[1, 0, 0, 0], [2, 4, 3, 0], [0, 0, 0, 0], [0, 1, 0, 0]]), "abcd")
    assert rows == [
        {"class": "d", "images": 1, "accuracy": 0.0, "mistaken_for": {"class": "b", "images": 1}},
        {"class": "b", "images": 9, "accuracy": 4 / 9, "mistaken_for": {"class": "c", "images": 3}},
        {"class": "a", "images": 1, "accuracy": 1.0, "mistaken_for": None},
    ]


def test_probabilities_and_ranks():
    shares = evaluate.probabilities(np.array([[1000.0, 1000.0, -1000.0]]))
    assert shares.tolist() == [[0.5, 0.5, 0.0]]
    assert evaluate.top(shares, 2).tolist() == [[0, 1]]
