"""The stems of ResNets with PyTorch's parameter names."""

import mxnet as mx
import numpy as np
import pytest
from model_checks import initialized

from gluon_attn import get_model
from gluon_attn.utils.errors import UserError


def test_the_stem_of_version_d_has_a_width():
    net = get_model("resnet18_v1d", 10, stem_width=16)
    assert [layer.weight.shape for layer in (net.conv1[0], net.conv1[3], net.conv1[6])] == [
        (16, 3, 3, 3), (16, 16, 3, 3), (32, 16, 3, 3),
    ]  # fmt: skip
    assert net.layer1[0].downsample[1].weight.shape == (64, 32, 1, 1)
    net.initialize()
    assert net(mx.nd.ones((1, 3, 32, 32))).shape == (1, 10)


def test_a_tiered_stem_by_hand():
    net = initialized("resnet18_v1d", stem="tiered", stem_width=16, stem_pool=False, activation="swish")
    assert [net.conv1[i].weight.shape[:2] for i in (0, 3, 6)] == [(12, 3), (16, 12), (32, 16)]
    assert [net.conv1[i]._kwargs["stride"] for i in (0, 3, 6)] == [(2, 2), (1, 1), (2, 2)]
    assert net.maxpool is None
    x = mx.nd.random.normal(shape=(2, 3, 32, 32))
    y = x
    for layer in (*net.conv1, net.bn1):
        y = layer(y)
    y = y * y.sigmoid()
    seen = []
    net.layer1.register_forward_hook(lambda block, inputs, output: seen.append(inputs[0]))
    net(x)
    np.testing.assert_allclose(seen[0].asnumpy(), y.asnumpy(), rtol=1e-5, atol=1e-6)
    assert seen[0].shape == (2, 32, 8, 8)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("resnet18_v1d", {"stem_width": 0}, "stem_width must be a whole number above 0, got 0"),
        ("resnet18_v1d", {"stem": "tiered", "stem_width": 3}, "a tiered stem needs a stem_width of 4 or more, got 3"),
        ("resnet18_v1b", {"stem": "round"}, "stem must be large or deep or tiered or small, got 'round'"),
        ("resnet18_v1b", {"stem_pool": False}, "stem_pool can be off in a deep or tiered stem only"),
    ],
)
def test_refused(name, options, words):
    with pytest.raises(UserError) as caught:
        get_model(name, 10, **options)
    assert str(caught.value).startswith(words)
