"""Networks with a new attention that compute at first what the pretrained ones do."""

import mxnet as mx
import numpy as np
import pytest
from networks import network

import gluon_attn
from gluon_attn.attention.base import ATTENTIONS, Attention, ConstantStart
from gluon_attn.attention.factory import identity_attentions, list_attentions
from gluon_attn.models.added_parts import planned_modules
from gluon_attn.models.identity_start import start_as_identity
from gluon_attn.models.start_weights import start_from_file
from gluon_attn.utils.errors import UserError

#: those in the slots of an addition that no weights turn into a constant
WITHOUT = {"anas", "bam", "bat", "danet", "ge_theta_minus", "shuffle", "simam"}


def test_which_attentions_have_one():
    added = {name for name in list_attentions() if ATTENTIONS.get(name).slot in ("post", "inner", "stage")}
    assert added - set(identity_attentions()) == WITHOUT


SLOTS = [
    ("resnet18_v1b", "se", "post"), ("resnet18_v1b", "eca", "post"), ("cifar_resnet20_v1", "cbam", "post"),
    ("cifar_resnet20_v2", "coord", "post"), ("mobilenet_v2", "triplet", "post"), ("fbresnet50", "dia", "post"),
    ("cifar_resnet20_v1", "se", "inner"), ("cifar_resnet20_v2", "eca", "inner"), ("fbresnet50", "se", "inner"),
    ("resnet18_v1b", "nonlocal", "stage"), ("cifar_resnet20_b", "gct", "post"), ("resnet18_v1d", "fca", "post"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "attention", "slot"), SLOTS)
@pytest.mark.parametrize("norm", ["batch", "group"])
def test_the_network_computes_what_the_pretrained_one_does(model, attention, slot, norm, tmp_path):

    if norm == "group" and model != "cifar_resnet20_v1":
        pytest.skip("one of them will do")
    plain, _ = network(model, 10, input_size=32, norm=norm)
    gluon_attn.save_params(plain, tmp_path / "plain.params")
    plan = {"version": 1, "entries": [{"name": attention, "slot": slot, "shared": attention == "dia"}]}
    net = gluon_attn.get_model(model, 10, plan=plan, input_size=32, norm=norm)
    net.initialize(mx.init.MSRAPrelu())
    start_from_file(net, tmp_path / "plain.params", [], 10)
    images = mx.nd.random.normal(shape=(2, 3, 32, 32))
    before = plain(images).asnumpy()
    if attention not in ("gct", "nonlocal"):  # these start so anyway
        assert np.abs(net(images).asnumpy() - before).max() > 1e-2 * np.abs(before).max()
    _, difference = start_as_identity(net, planned_modules(net), lambda: net(images))
    assert difference < 1e-4
    np.testing.assert_allclose(net(images).asnumpy(), before, rtol=0, atol=1e-4 * np.abs(before).max())
    with mx.autograd.record():
        loss = net(images).sum()
    loss.backward()
    for where, module in planned_modules(net).items():
        assert any(p.grad_req != "null" and p.grad().abs().sum() > 0 for p in module.collect_params().values()), where


class Claims(Attention):
    """Says of itself what is not so."""

    def constant_start(self):
        return ConstantStart(1)

    def hybrid_forward(self, F, x):
        return 2 * x


@pytest.mark.parametrize(
    ("model", "attention", "complaint"),
    [
        ("cifar_resnet20_b", "simam", r"layer1\.0\.post, SimAM, has no such start; .* are|branch: .*cbam.*\bse\b"),
        ("cifar_resnet20_b", "sk", r"layer1\.0\.conv2, SK, is in the place of a layer of the backbone"),
        ("cifar_resnet20_b", "claims", r"the network computes something else, by 0?\.?\d"),
        ("cifar_resnet20_b", [{"name": "se", "slot": "stage"}], r"layer1\.3 has no convolution or norm before it"),
        ("cifar_resnet20_b", [{"name": "se"}, {"name": "sk", "slot": "conv"}], "has no|is in the place"),
    ],
)
def test_what_has_no_such_start_is_refused(model, attention, complaint, monkeypatch):
    monkeypatch.setitem(ATTENTIONS._makers, "claims", Claims)
    asked = {"attention": attention} if isinstance(attention, str) else {
        "plan": {"version": 1, "entries": attention}
    }  # fmt: skip
    net = gluon_attn.get_model(model, 10, **asked)
    net.initialize(mx.init.MSRAPrelu())
    image = mx.nd.random.normal(shape=(1, 3, 32, 32))
    with pytest.raises(UserError, match=complaint):
        start_as_identity(net, planned_modules(net), lambda: net(image))
