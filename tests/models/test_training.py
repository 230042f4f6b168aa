"""Every attention, and networks of each family, train on real digits, in float32 and in bfloat16."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import HybridBlock
from training_checks import check_losses

from gluon_attn import Plan, get_model, list_attentions
from gluon_attn.models.factory import attention_entry, model_info
from gluon_attn.models.resnet.gluon_resnet import GluonResNet

BLOCKS = (2, 1, 1)  # of the quick network; a stage of two, since some attentions pass a state on
#: windows of many small products: in the quick network only the first block of each stage has them
FEW = {name: Plan([{"name": name, "slot": "conv", "scheme": "1011"}]) for name in ("fa", "halo")}
#: networks of several families -> options that make them narrow
NETWORKS = {
    "resnest14": {"widths": [16, 16, 32, 32]},
    "skresnet18": {"widths": [16, 16, 32, 32]},
    "cotnet50": {"widths": [16, 16, 32, 32], "blocks": [1, 1, 1, 1]},
    "epsanet50": {"widths": [16, 16, 32, 32], "blocks": [1, 1, 1, 1]},
    "botnet26t": {"widths": [16, 16, 32, 32]},
    "halonet26t": {"widths": [16, 16, 32, 32]},
    "lambda_resnet26t": {"widths": [16, 16, 32, 32]},
    "eca_resnext26ts": {"widths": [16, 16, 32, 32], "group_size": 8},
    "bat_resnext26ts": {"widths": [16, 16, 32, 32], "group_size": 8},
    "resnext50_32x4d": {"widths": [16, 16, 32, 32], "blocks": [1, 1, 1, 1], "groups": 4, "base_width": 16},
    "senet_154": {"widths": [16, 16, 32, 32], "blocks": [1, 1, 1, 1], "groups": 4, "base_width": 16},
    "wide_resnet50_2": {"widths": [16, 16, 32, 32], "blocks": [1, 1, 1, 1]},
    "cifar_wideresnet16_10": {"channels": [16, 16, 32, 64]},
}

each = pytest.mark.parametrize("name", list_attentions())
both = pytest.mark.parametrize("dtype", ["float32", "bfloat16"])


def short(name, classes, size):
    """cifar_resnet20_v1 with few blocks and an attention."""
    plan = FEW.get(name) or Plan([attention_entry(model_info("cifar_resnet20_v1"), name)])
    return GluonResNet(1, "basic", BLOCKS, plan, classes, input_size=size)


@each
@both
def test_it_learns_some_digits(name, dtype, monkeypatch):
    check_losses(lambda classes, size: short(name, classes, size), dtype, monkeypatch, step=4)


@pytest.mark.parametrize("name", NETWORKS)
@both
def test_a_network_learns_some_digits(name, dtype, monkeypatch):
    options = NETWORKS[name]
    check_losses(lambda classes, size: get_model(name, classes, input_size=size, **options), dtype, monkeypatch)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resnet18_v1b", {"widths": [16, 16, 32, 32], "dropblock_prob": 0.1, "drop_path": 0.2}),
        ("mobilenet_v3_small", {"multiplier": 0.25, "drop_path": 0.2}),
        ("cifar_resnet20_v1", {"drop_path": 0.2}),
    ],
)
@both
def test_a_network_with_parts_dropped_learns_some_digits(name, options, dtype, monkeypatch):
    net = check_losses(lambda classes, size: get_model(name, classes, **options), dtype, monkeypatch)
    plain = get_model(name, 10, **{key: value for key, value in options.items() if not key.startswith("drop")})
    plain.initialize()
    x = mx.nd.random.normal(shape=(2, 3, 32, 32))
    plain(x)
    for key, param in plain._collect_params_with_prefix().items():
        param.set_data(net._collect_params_with_prefix()[key].data())
    np.testing.assert_allclose(net(x).asnumpy(), plain(x).asnumpy(), rtol=1e-5, atol=1e-6)


class Blocked(HybridBlock):
    """A network whose gradients end at its output."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def hybrid_forward(self, F, x):
        return F.BlockGrad(self.net(x))


@pytest.mark.parametrize(("around", "lr"), [(Blocked, 0.01), (lambda net: net, 1e-9)])
@both
def test_a_network_that_does_not_learn_is_noticed(around, lr, dtype, monkeypatch):
    with pytest.raises(AssertionError, match="the loss does not fall"):
        check_losses(lambda classes, size: around(short("se", classes, size)), dtype, monkeypatch, step=4, lr=lr)


@pytest.mark.slow
@each
@both
def test_three_epochs_on_all_digits(name, dtype, monkeypatch):
    def make(classes, size):
        return get_model("cifar_resnet20_v1", classes, attention=name, input_size=size)

    check_losses(make, dtype, monkeypatch, images=None, epochs=3)
