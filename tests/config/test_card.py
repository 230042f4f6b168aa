"""Cards of networks: numbers that no network can have are refused, whichever file they come from."""

import pytest

from gluon_attn.config.card import Card
from gluon_attn.utils.errors import UserError


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("input_shape", (3, 32), "option input_shape must be channels, height and width from 1 to 32768"),
        ("input_shape", (3, 0, 32), "option input_shape must be channels"),
        ("input_shape", (3, 10**30, 32), "option input_shape must be channels"),
        ("mean", (0.5, float("inf"), 0.5), "option mean must be finite numbers"),
        ("mean", (), "option mean must be finite numbers"),
        ("std", (0.2, 0.0, 0.2), "option std must be above 0"),
        ("std", (0.2, 1e999, 0.2), "option std must be finite numbers"),
        ("std", (0.2, float("nan"), 0.2), "option std takes a number"),
    ],
)
def test_numbers_that_are_refused(field, value, words):
    with pytest.raises(UserError) as caught:
        Card.from_dict({"model": "resnet18_v1b", field: list(value)})
    assert str(caught.value).startswith(words)
    assert Card.from_dict(Card(model="resnet18_v1b").to_dict()) == Card(model="resnet18_v1b")
