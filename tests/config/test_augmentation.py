"""Names of policies: what they stand for, what is refused."""

import math

import pytest

from gluon_attn.config.augmentation import RandPolicy, rand_policy
from gluon_attn.config.data import DataConfig
from gluon_attn.utils.errors import UserError


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("rand", RandPolicy()),
        ("rand-m9-mstd0.5", RandPolicy(9, deviation=0.5)),
        ("rand-m7-n3-p0.7-inc1-mmax8", RandPolicy(7, 3, 0.7, largest=8, increasing=True)),
        ("rand-m6-mstd101", RandPolicy(6, deviation=math.inf)),
        ("original", None),
    ],
)
def test_names(name, policy):
    assert rand_policy(DataConfig(aa=name).aa) == policy


def test_the_flag_of_gluoncv_is_one_spelling():
    assert DataConfig(auto_aug=True) == DataConfig(auto_aug=True, aa="original") == DataConfig(aa="original")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"aa": "v0"}, "option aa must be original, or rand with parts such as m9, n2, "),
        ({"aa": "rand-x3"}, "option aa must be original, or rand with parts such as m9, n2, "),
        ({"aa": "rand-m9-m8"}, "option aa has one of its parts twice, got 'rand-m9-m8'"),
        ({"aa": "rand-n0"}, "option aa needs a whole number of operations: n1, n2 ..., got 'rand-n0'"),
        ({"aa": "rand-n1.5"}, "option aa needs a whole number of operations"),
        ({"aa": "rand-p2"}, "option aa needs a probability from 0 to 1: p0.5"),
        ({"aa": "rand-inc2"}, "option aa takes inc0 or inc1"),
        ({"aa": "rand-m11"}, "option aa has a magnitude m above its bound (mmax, default 10), got 'rand-m11'"),
        ({"aa": "rand-mmax20"}, "option aa takes levels up to 10: mmax10 or less"),
        ({"aa": "rand-m9", "auto_aug": True}, "option auto_aug means option aa original: leave out option aa rand-m9"),
        ({"aa": "rand-m9", "rand_augment": (2, 9)}, "option aa and option rand_augment are two policies: give one"),
        ({"aug_repeats": 0}, "option aug_repeats must be at least 1, got 0"),
    ],
)
def test_refused(options, words):
    with pytest.raises(UserError) as caught:
        DataConfig(**options)
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)
