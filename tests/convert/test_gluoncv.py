"""GluonCV's own networks: structural names and Gluon's own, outputs, and their counterparts."""

import re

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluon_attn import get_model, list_models
from gluon_attn.attention.se import SE
from gluon_attn.attention.split import SplitAttention
from gluon_attn.convert import load_reference, read_weights
from gluon_attn.convert.counterpart import counterpart
from gluon_attn.nn import fast, gates
from gluon_attn.nn.channel_attention import branch_softmax, gated_sum
from gluon_attn.utils.errors import UserError
from gluon_attn.utils.optional import without_torch

#: networks of GluonCV's that `gluon-attn convert` takes, and their counterparts
ROWS = (
    *(f"cifar_resnet{depth}_v{version}" for depth in (20, 56, 110) for version in (1, 2)),
    *(f"cifar_wideresnet{name}" for name in ("16_10", "28_10", "40_8")),
    *(f"cifar_resnext29_{name}" for name in ("16x64d", "32x4d")),
    *(f"resnet{depth}_{version}" for depth in (18, 34, 50, 101, 152) for version in ("v1", "v2", "v1b")),
    *(f"resnet{depth}_v1d" for depth in (50, 101, 152)),
    *(f"se_resnet{depth}_v{version}" for depth in (18, 34, 50, 101, 152) for version in (1, 2)),
    *(f"{start}resnext{name}" for start in ("", "se_") for name in ("50_32x4d", "101_32x4d", "101_64x4d")),
    "senet_154",
    *(f"resnest{depth}" for depth in (14, 26, 50, 101, 200, 269)),
    *(f"mobilenetv2_{width}" for width in ("1.0", "0.75", "0.5", "0.25")),
    "mobilenetv3_large",
    "mobilenetv3_small",
)
DEEP = re.compile(r".*(28_10|40_8|16x64d|101|110|152|154|200|269).*")
#: their files with Gluon's own names cannot be told: SE-ResNets and MobileNetV2 have layers of other kinds there
STRUCTURAL = (*(f"se_resnet{depth}" for depth in (18, 34, 50, 101, 152)), "mobilenetv2")


def pooled_sum(self, F, x):
    """ResNeSt there: the parts are added before the pooling; ours pools each, which reads them once and writes none."""
    maps = list(F.SliceChannel(F.relu(self.bn(self.conv(x))), num_outputs=2, axis=1))
    logits = self.fc2(F.relu(self.bn1(self.fc1(fast.global_avg(F, F.add_n(*maps))))))
    y = gated_sum(F, maps, branch_softmax(F, logits, 2))
    return y if self._stride == 1 else F.Pooling(y, kernel=(3, 3), stride=(2, 2), pad=(1, 1), pool_type="avg")


def dense_gate(self, F, x):
    """SE-ResNets there: dense layers, ours are 1x1 convolutions, which add in another order."""
    logits = fast.global_avg(F, x)
    for layer in self.mlp:
        if isinstance(layer, nn.Conv2D):
            weight = F.flatten(layer.weight.data())
            logits = F.FullyConnected(F.flatten(logits), weight, num_hidden=layer._channels, no_bias=True)
        else:
            logits = layer(logits)
    return fast.channel_gate(F, x, fast.sigmoid(F, logits.reshape((0, -1, 1, 1))))


def classifier(self, F, x, weight, bias=None):
    """MobileNets there: 1x1 convolutions, ours are dense layers, which add in another order."""
    options = {"kernel": (1, 1), "num_filter": len(weight), "no_bias": bias is None}
    tensors = [tensor.reshape((0, 0, 1, 1)) for tensor in (x, weight)] + ([] if bias is None else [bias])
    return F.flatten(F.Convolution(*tensors, **options))


def hard_sigmoid(F, x):
    """MobileNetV3 there: four operators, ours is one."""
    return F.clip(x + 3, 0, 6) / 6


def as_there(monkeypatch, name):
    """Compute in GluonCV's order what ours computes in another one; says whether there is such a thing."""
    if name.startswith("resnest"):
        monkeypatch.setattr(SplitAttention, "hybrid_forward", pooled_sum)
    elif name.startswith("se_resnet"):
        monkeypatch.setattr(SE, "hybrid_forward", dense_gate)
    elif name.startswith("mobilenet"):
        monkeypatch.setattr(nn.Dense, "hybrid_forward", classifier)
        for module in (fast, gates):  # squeeze-and-excitation, hard swish
            monkeypatch.setattr(module, "hard_sigmoid", hard_sigmoid)
    else:
        return False
    return True


def ours(name):
    if name.startswith("mobilenetv2"):
        return get_model("mobilenet_v2", 5, multiplier=float(name.partition("_")[2]))
    if name.startswith("se_resnet"):
        return get_model(name.removeprefix("se_"), 5, attention={"name": "se", "bias": False})
    return get_model(name, 5)


@pytest.mark.parametrize(
    ("name", "prefixed"),
    [
        pytest.param(name, prefixed, marks=[pytest.mark.slow] * bool(DEEP.fullmatch(name)))
        for prefixed in (False, True)
        for name in ROWS
        if not (prefixed and name.startswith(STRUCTURAL))
    ],
)
def test_gluoncvs_zoo(name, prefixed, tmp_path, monkeypatch):
    """Equal to the bit; where a formulation that is faster here rounds otherwise, with GluonCV's in its place."""
    with without_torch():
        from gluoncv import model_zoo

    theirs = model_zoo.get_model(name, classes=5)
    theirs.initialize(mx.init.MSRAPrelu())
    for path, param in theirs._collect_params_with_prefix().items():
        if name.startswith("resnest") and path.endswith(".bn3.gamma"):
            # else the maps of the deep ones grow a thousandfold, and so does the rounding
            param.set_data(mx.nd.full(param.shape, 0.2))
    size = 32 if name.startswith("cifar") else 64
    x = mx.nd.random.normal(shape=(2, 3, size, size))
    wanted = theirs(x).asnumpy()
    (theirs.collect_params().save if prefixed else theirs.save_parameters)(str(tmp_path / "net.params"))
    net = ours(name)
    load_reference(net, read_weights(tmp_path / "net.params").tensors, "gluoncv")
    made = counterpart(net, "gluoncv")
    assert str(made) == f"gluoncv.model_zoo.get_model({name!r}, classes=5)"
    if not prefixed:
        np.testing.assert_array_equal(made.logits(tmp_path / "net.params", x.asnumpy()), wanted)
    plain = net(x).asnumpy()
    if as_there(monkeypatch, name):
        assert np.abs(plain - wanted).max() <= 1e-5 * np.abs(wanted).max()
        plain = net(x).asnumpy()
    np.testing.assert_array_equal(plain, wanted)


def test_every_network_of_gluoncv_that_ours_has_is_a_row():
    with without_torch():
        from gluoncv import model_zoo

    there = set(model_zoo.get_model_list())
    assert there.issuperset(ROWS)
    names = {name: name.removeprefix("se_") for name in there.difference(ROWS)}
    same = [ours(name) for name, base in names.items() if {name, base} & set(list_models())]
    assert not [str(counterpart(net, "gluoncv")) for net in same if counterpart(net, "gluoncv")]


def test_gluons_own_names_of_another_network(tmp_path):
    net = get_model("cifar_resnet20_v1", 5)
    state = {"net0_conv0_weight": np.zeros((16, 3, 3, 3)), "net0_lstm0_weight": np.zeros(3)}
    with pytest.raises(UserError, match="are of another network: nothing here is called net0_conv0_weight, net0_lstm0"):
        load_reference(net, state, "gluoncv")
