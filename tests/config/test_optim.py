"""Options of the optimizer: what cannot be meant."""

import pytest

from gluon_attn.config.optim import OptimConfig
from gluon_attn.utils.errors import UserError


def refused(**options):
    """The message of the `UserError`, which must be one line."""
    with pytest.raises(UserError) as caught:
        OptimConfig(**options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lr": 0}, {"momentum": 1}, {"wd": -1}, {"lr_mode": "linear"}, {"lr_decay": 0}, {"lr_decay_epoch": (3, -1)},
        {"lr_decay_period": -1}, {"target_lr": -1}, {"warmup_epochs": -1}, {"warmup_lr": -1}, {"clip_grad": 0},
        {"layer_decay": 0}, {"layer_decay": 1}, {"epsilon": 0}, {"ema_warmup": "power"},
    ],
)  # fmt: skip
def test_impossible_optimizer_values(wrong):
    assert refused(**wrong).startswith(f"option {next(iter(wrong))} ")
