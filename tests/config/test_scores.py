"""Scores of records, some of which have none."""

import math

import pytest

from gluon_attn.config.scores import MASK_AP, Score

LOSS = Score("val_loss", "test loss", higher_is_better=False)


@pytest.mark.parametrize(
    ("score", "values", "last"),
    [
        (MASK_AP, [0.2, 0.1], 0.1),
        (MASK_AP, [0.2, None], 0.2),  # a detector that is evaluated after every second epoch
        (MASK_AP, [None, None], -math.inf),
        (MASK_AP, [], -math.inf),
        (LOSS, [2.0, math.nan], math.inf),
        (LOSS, [2.0, None], 2.0),
    ],
)
def test_the_last_score(score, values, last):
    history = [{"epoch": i, **({} if value is None else {score.key: value})} for i, value in enumerate(values)]
    assert score.last(history) == last
    assert score.last([{**record, score.key: record.get(score.key)} for record in history]) == last
