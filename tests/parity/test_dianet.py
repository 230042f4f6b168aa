"""The other networks of gbup-group/DIANet, of small depth: names of tensors and outputs agree with the authors' code.

The state is drawn by the cases' weight rule from our table of names, so that a wrong name gives another output, too.
"""

import mxnet as mx
import numpy as np
import pytest
from golden import draw

from gluon_attn import Plan, UserError, get_model
from gluon_attn.convert import load_reference, reference_names, reference_state
from gluon_attn.convert.infer_source import infer_source
from gluon_attn.convert.tensors import Tensors
from gluon_attn.models.resnet.cifar import resnext
from gluon_attn.models.resnet.gluon_resnet import GluonResNet

SEED, CLASSES = 2020, 5
PLAN = Plan([{"name": "dia", "shared": True}])


def preresnet():
    return GluonResNet(2, "bottleneck", [2, 2, 2], PLAN, CLASSES, input_norm=False, end_norm=True)


def wide_resnet():
    return GluonResNet(
        2, "basic", [2, 2, 2], PLAN, CLASSES, channels=(16, 64, 128, 256), early_shortcut=True, input_norm=False,
        end_norm=True,
    )  # fmt: skip


def grouped():
    return resnext(8, 64, (32, 64, 128), 32, 2, PLAN, CLASSES)


#: (our network, number of tensors there without counters, logits there in float64: PreResNet(20), WideResNet(16, 4),
#: CifarResNeXt(8, 20, 4))
NETWORKS = [
    (preresnet, 148, [1.541433, 7.0581437, -1.2174648, 0.39584496, -0.30414377]),
    (wide_resnet, 118, [0.8520104, 0.59424647, 1.6153831, 0.12462755, -0.49396989]),
    (grouped, 136, [-1.8332538, 2.0398476, -2.0127312, 4.7440925, -1.4642696]),
]
NAMED = ("dia_cifar_preresnet164", "dia_cifar_wideresnet52_4", "dia_cifar_resnext101_8x32d")


def drawn(net):
    """The weights under their names there."""
    own, state = net._collect_params_with_prefix(), {}
    for path, name in reference_names(net, "ean").items():
        leaf, shape = name.rpartition(".")[2], own[path].shape
        kinds = {"weight": "bn_gamma", "running_var": "bn_var"}
        kind = kinds.get(leaf, "bias") if len(shape) == 1 else "linear"
        state[name] = draw(name, kind, shape, 2.0, SEED)
    return state


@pytest.mark.parametrize(("make", "count", "wanted"), NETWORKS)
def test_agrees_with_the_authors_code(make, count, wanted):
    net = make()
    state = drawn(net)
    assert len(state) == count
    load_reference(net, state | {"layer1.ModuleList.0.bn1.num_batches_tracked": np.array(7)}, "ean")
    x = np.random.RandomState(SEED + 1).normal(size=(1, 3, 32, 32)).astype("float32")
    got = net(mx.nd.array(x)).asnumpy()[0]
    assert np.abs(got - wanted).max() <= 1e-5 * np.abs(wanted).max()
    assert infer_source(lambda _: net, Tensors.of(state)) == "ean"


@pytest.mark.parametrize("make", [make for make, _, _ in NETWORKS])
def test_a_name_too_few_or_too_many_is_refused(make):
    net = make()
    state = drawn(net)
    with pytest.raises(UserError, match=r"they have else\.weight in addition"):
        load_reference(net, state | {"else.weight": np.zeros(3)}, "ean")
    name = next(name for name in state if "lstm" in name)
    state.pop(name)
    with pytest.raises(UserError, match=f"they lack {name}"):
        load_reference(net, state, "ean")


@pytest.mark.parametrize("name", [*NAMED, "dia_cifar_resnet", "sge_fbresnet50"])
def test_there_and_back_is_exact(name):
    net, again = get_model(name, CLASSES), get_model(name, CLASSES)
    net.initialize(mx.init.Xavier())
    net(mx.nd.zeros((1, 3, 32, 32)))  # not awaited: it moves weights into other layouts
    load_reference(again, reference_state(net, "ean"), "ean")
    before, after = (one._collect_params_with_prefix() for one in (net, again))
    assert all((before[path].data().asnumpy() == after[path].data().asnumpy()).all() for path in before)


@pytest.mark.parametrize(("name", "options"), [("resnet18_v1b", {}), ("dia_cifar_resnet", {"reduction": 8})])
def test_what_the_authors_do_not_have(name, options):
    with pytest.raises(UserError, match=f"^ean has no network like this {name}"):
        reference_state(get_model(name, CLASSES, **options), "ean")
