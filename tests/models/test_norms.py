"""Group normalization in place of batch normalization."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluon_attn import get_model
from gluon_attn.models.norms import with_norm
from gluon_attn.nn.norm import GroupNorm
from gluon_attn.utils.errors import UserError


def below(block):
    for child in block._children.values():
        yield child
        yield from below(child)


@pytest.mark.parametrize("name", ["resnet18_v1b", "cifar_resnet20_v2", "mobilenet_v2"])
def test_every_batch_norm_with_a_scale_is_exchanged(name):
    net, plain = get_model(name, 4, norm="group"), get_model(name, 4)
    kinds = [type(child) for child in below(net)]
    had = [child for child in below(plain) if isinstance(child, nn.BatchNorm)]
    fixed = sum(child._kwargs["fix_gamma"] for child in had)
    assert (kinds.count(GroupNorm), kinds.count(nn.BatchNorm)) == (len(had) - fixed, fixed)
    learned = {n for n, p in plain._collect_params_with_prefix().items() if p.grad_req != "null"}
    assert learned <= set(net._collect_params_with_prefix())


def test_it_runs_is_independent_of_the_batch_and_learns():
    net = get_model("cifar_resnet20_v1", 4, attention="cbam", norm="group", last_gamma=True)
    assert net.recipe["options"] == {"norm": "group", "last_gamma": True}
    net.initialize(mx.init.MSRAPrelu())
    net.hybridize()
    x = mx.nd.random.normal(shape=(3, 3, 32, 32))
    alone = mx.nd.concat(*[net(x[i : i + 1]) for i in range(3)], dim=0).asnumpy()
    # sums of another order
    np.testing.assert_allclose(net(x).asnumpy(), alone, rtol=1e-4, atol=1e-5)
    zeros = [
        p for n, p in net._collect_params_with_prefix().items() if n.endswith("gamma") and not p.data().asnumpy().any()
    ]
    assert len(zeros) == 9
    with mx.autograd.record():
        loss = net(x).square().sum()
    loss.backward()
    assert np.abs(net.features[1].gamma.grad().asnumpy()).max() > 0


def test_an_unknown_norm():
    with pytest.raises(UserError, match="norm must be batch or group, got 'layer'"):
        with_norm(nn.HybridSequential(), "layer")
