"""Learning rates at every update."""

import math

import pytest

from gluon_attn.config.optim import OptimConfig
from gluon_attn.engine.schedule import Schedule, scaled, schedule_warnings
from gluon_attn.utils.errors import UserError


def rates(epochs, steps, **options):
    schedule = Schedule(OptimConfig(lr=0.4, **options), epochs, steps)
    return [schedule(update) for update in range(1, epochs * steps + 1)]  # MXNet counts updates from 1


def test_step_changes_with_the_first_batch_of_its_epoch():
    found = rates(4, 5, lr_mode="step", lr_decay=0.5, lr_decay_epoch=(1, 3))
    assert found == pytest.approx([0.4] * 5 + [0.2] * 10 + [0.1] * 5)


def test_a_period_replaces_the_list_of_epochs():
    assert rates(4, 2, lr_decay_period=2) == pytest.approx([0.4] * 4 + [0.04] * 4)
    # 0.1 ** (epoch // 2.4), of whole epochs
    assert rates(8, 1, lr_decay_period=2.4) == pytest.approx([0.4] * 3 + [0.04] * 2 + [0.004] * 3)


def test_cosine_starts_at_lr_and_ends_at_the_target():
    found = rates(3, 7, lr_mode="cosine", target_lr=0.1)
    expected = [0.1 + 0.3 * (1 + math.cos(math.pi * i / 20)) / 2 for i in range(21)]
    assert found == pytest.approx(expected)


def test_poly_is_quadratic():
    assert rates(1, 11, lr_mode="poly") == pytest.approx([0.4 * (1 - i / 10) ** 2 for i in range(11)])


def test_warm_up_climbs_and_hands_over():
    found = rates(3, 4, lr_mode="step", lr_decay_epoch=(2,), warmup_epochs=1, warmup_lr=0.1)
    assert found == pytest.approx([0.1, 0.2, 0.3, 0.4] + [0.4] * 4 + [0.04] * 4)


def test_one_batch_in_all_is_no_division_by_zero():
    assert rates(1, 1, lr_mode="cosine") == pytest.approx([0.4])
    assert rates(1, 1, warmup_epochs=3) == pytest.approx([0.0])


@pytest.mark.parametrize(("rule", "factor"), [("none", 1), ("linear", 4), ("sqrt", 2)])
def test_rates_follow_the_global_batch(rule, factor):
    config = OptimConfig(lr=0.1, warmup_lr=0.01, target_lr=0.001, lr_scaling=rule)
    found = scaled(config, 1024)
    assert (found.lr, found.warmup_lr, found.target_lr) == pytest.approx((0.1 * factor, 0.01 * factor, 0.001 * factor))


def test_the_batch_that_the_rate_is_meant_for():
    assert scaled(OptimConfig(lr=0.1, lr_scaling="linear", lr_batch=32), 64).lr == pytest.approx(0.2)
    with pytest.raises(UserError, match="option lr_batch needs option lr_scaling"):
        OptimConfig(lr_batch=32)


@pytest.mark.parametrize(
    ("options", "epochs", "line"),
    [
        ({"lr_mode": "step"}, 3, "option lr_decay_epoch (100, 150) is after the end of the run (num_epochs 3): the "
                                 "learning rate stays as it is; option lr_mode cosine"),
        ({"lr_decay_epoch": (1, 40)}, 40, "option lr_decay_epoch (40) is after the end of the run (num_epochs 40): the "
                                          "learning rate falls less often"),
        ({"lr_decay_period": 9}, 9, "option lr_decay_period (9) is after the end of the run (num_epochs 9)"),
        ({"lr_mode": "cosine", "warmup_epochs": 5}, 5, "option warmup_epochs 5 takes the whole run (num_epochs 5)"),
        ({"lr_mode": "cosine", "warmup_updates": 20}, 5, "option warmup_updates 20 takes the whole run of 20 updates"),
    ],
)  # fmt: skip
def test_what_lies_outside_a_run_is_told(options, epochs, line):
    (found,) = schedule_warnings(OptimConfig(**options), epochs, 4)
    assert line in found
    assert schedule_warnings(OptimConfig(**options), 200, 4) == []


def test_a_floor_above_the_rate_is_told():
    (found,) = schedule_warnings(OptimConfig(lr_mode="cosine", lr=0.01, target_lr=0.5), 9, 4)
    assert found == "option target_lr 0.5 is above option lr 0.01: the rate rises to it"
    assert schedule_warnings(OptimConfig(lr_mode="cosine", lr=0.5, target_lr=0.01), 9, 4) == []
