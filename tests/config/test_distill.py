"""Options of distillation: what cannot be meant."""

import pytest

from gluon_attn.config.distill import DistillConfig
from gluon_attn.utils.errors import UserError


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"teacher_params": "a.params"}, "option teacher_params needs option teacher"),
        ({"temperature": 3}, "option temperature needs option teacher"),
        ({"hard_weight": 0.1}, "option hard_weight needs option teacher"),
        ({"teacher": "a", "temperature": 0}, "option temperature must be above 0, got 0.0"),
        ({"teacher": "a", "hard_weight": 1}, "option hard_weight must be from 0 to below 1, got 1.0"),
    ],
)
def test_refused(options, words):
    with pytest.raises(UserError, match=f"^{words}$"):
        DistillConfig(**options)


def test_accepted():
    config = DistillConfig(teacher="resnet50_v1b", teacher_params="a.params", hard_weight=0)
    assert DistillConfig.from_dict(config.to_dict()) == config
