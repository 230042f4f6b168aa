"""ResNets with GluonCV's parameter names: GluonCV's files load and give GluonCV's outputs."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import Plan, get_model, load_params
from gluon_attn.models.resnet.gluon_resnet import GluonResNet
from gluon_attn.utils.errors import UserError


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("depth", [20, 56, 110])
def test_gluoncvs_files_load_and_give_gluoncvs_outputs(depth, version, tmp_path):
    zoo = pytest.importorskip("gluoncv.model_zoo", reason="GluonCV is not installed")
    theirs = zoo.get_model(f"cifar_resnet{depth}_v{version}", classes=10)
    theirs.initialize(mx.init.Xavier())
    x = mx.nd.random.normal(shape=(2, 3, 32, 32))
    with mx.autograd.record():  # one step of statistics, so that they differ from where they start
        loss = theirs(x).sum()
    loss.backward()
    theirs.save_parameters(str(tmp_path / "theirs.params"))
    ours = get_model(f"cifar_resnet{depth}_v{version}", 10)
    load_params(ours, tmp_path / "theirs.params")
    expected = theirs(x).asnumpy()
    # equal to the bit up to the last pooling, which adds 64 numbers in another order
    np.testing.assert_allclose(ours(x).asnumpy(), expected, rtol=0, atol=1e-6 * abs(expected).max())


def test_channels_of_their_own():
    net = GluonResNet(1, "bottleneck", [1, 1], Plan(), 10, channels=[8, 32, 40])
    assert [stage[0].body[0].weight.shape[:2] for stage in (net.features[2], net.features[3])] == [(8, 8), (10, 32)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": [8, 30, 40]}, "channels of bottlenecks must be multiples of 4"),
        ({"channels": [8, 32]}, "channels"),
        ({"end_norm": True}, "early_shortcut, input_norm and end_norm are for version 2"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(UserError, match=message):
        GluonResNet(1, "bottleneck", [1, 1], Plan(), 10, **options)
