"""Activations by name, against their formulas."""

import math

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.nn.act import ACTIVATIONS, get_activation
from gluon_attn.utils.errors import UserError

ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017

FORMULAS = {
    "relu": lambda x: max(x, 0),
    "relu6": lambda x: min(max(x, 0), 6),
    "prelu": lambda x: x if x > 0 else x / 4,  # the slope that learning starts at
    "elu": lambda x: x if x > 0 else math.expm1(x),
    "selu": lambda x: SCALE * (x if x > 0 else ALPHA * math.expm1(x)),
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "swish": lambda x: x / (1 + math.exp(-x)),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
}


@pytest.mark.parametrize("name", ACTIVATIONS.names())
def test_value(name):
    x = np.linspace(-8, 8, 48, dtype="float32").reshape(2, 4, 3, 2)
    block = get_activation(name)
    block.initialize()
    wanted = np.vectorize(FORMULAS[name], otypes=["float64"])(x.astype("float64"))
    np.testing.assert_allclose(block(mx.nd.array(x)).asnumpy(), wanted, rtol=1e-5, atol=1e-6)


def test_every_call_makes_a_new_block():
    first, second = get_activation("prelu"), get_activation("prelu")
    assert first is not second
    assert [p.shape for p in first.collect_params().values()] == [(1,)]
    assert not set(first.collect_params()) & set(second.collect_params())


def test_unknown_name():
    with pytest.raises(UserError, match=r"unknown activation 'rellu'; did you mean relu or "):
        get_activation("rellu")
