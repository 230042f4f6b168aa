"""ResNets with GluonCV's parameter names: GluonCV's files load and give GluonCV's outputs."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_model, load_params


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
