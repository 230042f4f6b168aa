"""The network of a run: what it starts from, which images it takes."""

import types

import mxnet as mx
import numpy as np
import pytest
from networks import network

import gluon_attn
from gluon_attn.config.model import ModelConfig
from gluon_attn.config.train import RunConfig
from gluon_attn.runs.network import check_sizes, make_network
from gluon_attn.utils.errors import UserError


def made(classes, smaller=(), **model):
    data = types.SimpleNamespace(classes=classes, input_shape=(3, 32, 32), progressive_sizes=smaller)
    return make_network(RunConfig(model=ModelConfig(**model)), data, [mx.cpu()])


def weights(net):
    return {name: param.data().asnumpy() for name, param in net._collect_params_with_prefix().items()}


HEADS = {
    "cifar_resnet20_v1": ["output.weight", "output.bias"],
    "resnet18_v1b": ["fc.weight", "fc.bias"],
    "mobilenet_v2": ["classifier.1.weight", "classifier.1.bias"],
}


@pytest.mark.parametrize("model", HEADS)
def test_fine_tuning_to_other_classes_renews_the_classifier_alone(model, tmp_path, caplog):
    old = gluon_attn.get_model(model, 10)
    old.initialize(mx.init.Normal(1))
    path = tmp_path / "old.params"
    gluon_attn.save_params(old, path)
    new, fresh, before = (
        weights(made(7, model=model, pretrained=str(path))),
        weights(made(7, model=model)),
        weights(old),
    )
    head = HEADS[model]
    for name in new:
        np.testing.assert_array_equal(new[name], (fresh if name in head else before)[name], err_msg=name)
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} is for another number of classes: {head[0]} and {head[1]} are initialized anew, for 7"
    ]
    caplog.clear()
    again = weights(made(10, model=model, pretrained=str(path)))
    assert all((again[name] == before[name]).all() for name in before)
    assert not caplog.records


def test_everything_else_must_fit(tmp_path):
    net, _ = network("cifar_resnet20_v1", attention="se")
    gluon_attn.save_params(net, tmp_path / "se.params")
    with pytest.raises(UserError, match=r"se\.params is of another network: it has .*post"):
        made(7, pretrained=str(tmp_path / "se.params"))
    wider = {"attention": "se", "attention_options": {"reduction": 4}}
    with pytest.raises(UserError, match=r"se\.params is of another network: .*post.* has shape"):
        made(7, pretrained=str(tmp_path / "se.params"), **wider)


def test_images_that_a_network_does_not_take():
    net = made(7, attention="fca")
    check_sizes(net, [(32, 32)], [mx.cpu()], "it")
    with pytest.raises(UserError, match=r"^it takes no images of 40x32: .*made for maps of 32x32"):
        check_sizes(net, [(32, 32), (40, 32)], [mx.cpu()], "it")


def test_an_attention_for_one_size_of_map_refuses_growing_images():
    made(7, smaller=((16, 16),), attention="se")
    with pytest.raises(UserError, match=r"^model cifar_resnet20_v1 takes no images of 16x16: .*\(spatial\), got 16x16"):
        made(7, smaller=((16, 16),), attention="fca")
