"""GluonCV's own networks: structural names and Gluon's own, outputs, and their counterparts."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_model
from gluon_attn.convert import load_reference, read_weights
from gluon_attn.convert.counterpart import counterpart
from gluon_attn.utils.errors import UserError
from gluon_attn.utils.optional import without_torch

#: networks of GluonCV's whose layers have our kinds, so that Gluon's own names can be told, too
SAME = ("resnet18_v1b", "resnet50_v1d", "cifar_resnet20_v2", "resnet50_v1", "resnet18_v2", "resnest14")
RESNEXT = ("cifar_wideresnet16_10", "cifar_resnext29_32x4d", "resnext50_32x4d", "se_resnext50_32x4d", "senet_154")
OTHER = (
    "se_resnet18_v1",
    "se_resnet50_v1",
    "se_resnet50_v2",
    "mobilenetv2_1.0",
    "mobilenetv2_0.25",
    "mobilenetv3_small",
)


@pytest.mark.parametrize(
    ("name", "prefixed"),
    [*((name, True) for name in SAME + RESNEXT), *((name, False) for name in SAME + RESNEXT + OTHER)],
)
def test_gluoncvs_zoo(name, prefixed, tmp_path):
    with without_torch():
        from gluoncv import model_zoo

    theirs = model_zoo.get_model(name, classes=5)
    theirs.initialize(mx.init.MSRAPrelu())
    x = mx.nd.random.normal(shape=(2, 3, 64, 64))
    wanted = theirs(x)
    save = theirs.collect_params().save if prefixed else theirs.save_parameters
    save(str(tmp_path / "net.params"))
    if "mobilenetv2" in name:
        net = get_model("mobilenet_v2", 5, multiplier=float(name.partition("_")[2]))
    elif name in RESNEXT:
        net = get_model(name, 5)
    else:
        attention = {"name": "se", "bias": False} if name.startswith("se_") else None
        net = get_model(name.removeprefix("se_"), 5, attention=attention)
    load_reference(net, read_weights(tmp_path / "net.params").tensors, "gluoncv")
    allowed = 1e-6 if name in SAME and name != "resnest14" else 1e-5  # a gate's operators are others than there
    assert np.abs((net(x) - wanted).asnumpy()).max() <= allowed * np.abs(wanted.asnumpy()).max()
    assert str(counterpart(net, "gluoncv")) == f"gluoncv.model_zoo.get_model({name!r}, classes=5)"
    logits = counterpart(net, "gluoncv").logits
    if not prefixed:
        np.testing.assert_allclose(logits(tmp_path / "net.params", x.asnumpy()), wanted.asnumpy(), rtol=1e-5, atol=1e-6)


def test_gluons_own_names_of_another_network(tmp_path):
    net = get_model("cifar_resnet20_v1", 5)
    state = {"net0_conv0_weight": np.zeros((16, 3, 3, 3)), "net0_lstm0_weight": np.zeros(3)}
    with pytest.raises(UserError, match="are of another network: nothing here is called net0_conv0_weight, net0_lstm0"):
        load_reference(net, state, "gluoncv")
