"""The network of a run: what it starts from, which images it takes."""

import types

import mxnet as mx
import numpy as np
import pytest
from networks import network

import gluon_attn
from gluon_attn.config.model import ModelConfig
from gluon_attn.config.train import RunConfig
from gluon_attn.engine.prepare_network import new_parameters
from gluon_attn.runs.network import check_sizes, make_network
from gluon_attn.utils.errors import UserError


def made(classes, smaller=(), train=None, **model):
    data = types.SimpleNamespace(classes=classes, input_shape=(3, 32, 32), progressive_sizes=smaller)
    return make_network(RunConfig(model=ModelConfig(**model), train=train or {}), data, [mx.cpu()])


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


@pytest.fixture
def plain(tmp_path):
    net, _ = network("cifar_resnet20_b")
    gluon_attn.save_params(net, tmp_path / "plain.params")
    return net, str(tmp_path / "plain.params")


def test_a_new_attention_on_pretrained_weights_starts_anew_and_is_told(plain, caplog):
    net, path = plain
    found = made(10, model="cifar_resnet20_b", attention="se", pretrained=path)
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} has no weights of the attention: layer1.0.post, layer1.1.post, layer1.2.post and 6 more are "
        "initialized anew"
    ]
    before = weights(net)
    assert all((weights(found)[name] == before[name]).all() for name in before)
    assert new_parameters(found) == set(weights(found)) - set(before)
    assert new_parameters(made(10, model="cifar_resnet20_b", attention="se")) == set()


@pytest.mark.parametrize("option", [{"evaluate": True}, {"start_epoch": 2}, {"resume_states": "x", "trust": True}])
def test_options_about_the_network_of_the_file_need_all_of_it(option, plain):
    with pytest.raises(UserError, match=r"plain\.params is of another network: it lacks layer1\.0\.post"):
        made(10, train=option, model="cifar_resnet20_b", attention="se", pretrained=plain[1])


def test_published_weights_of_the_backbone_serve_a_new_attention(caplog):
    net = made(7, use_pretrained=True, attention="gct")
    (said,) = [record.getMessage() for record in caplog.records]
    assert "digits_resnet20.params has no weights of the attention: features.2.0.post" in said
    assert "it is for another number of classes: output.weight and output.bias" in said
    assert {"output.weight", "features.2.0.post.alpha"} < new_parameters(net)
    with pytest.raises(UserError, match="there are no published parameters of 'cifar_resnet20_b'"):
        made(7, model="cifar_resnet20_b", use_pretrained=True, attention="gct")


def test_a_start_without_effect(plain, caplog):
    net, path = plain
    asked = {"model": "cifar_resnet20_b", "pretrained": path, "attention_start": "identity"}
    with caplog.at_level("INFO", logger="gluon_attn"):
        found = made(10, attention="eca", **asked)
    assert caplog.records[-1].getMessage() == (
        "attention_start identity: 9 modules begin with gates of 0.5, made up for by the layers before them; the "
        "network computes what it does without them"
    )
    images = mx.nd.random.normal(shape=(2, 3, 32, 32))
    np.testing.assert_allclose(found(images).asnumpy(), net(images).asnumpy(), rtol=1e-5)
    with pytest.raises(UserError, match=r"attention_start identity: layer1\.0\.post, SimAM, has no such start"):
        made(10, attention="simam", **asked)
    for more in ({}, {"attention": "se", "pretrained": saved_with_se(path)}):
        with pytest.raises(UserError, match="option attention_start is for attention that starts anew, here is none"):
            made(10, **{**asked, **more})


def saved_with_se(path):
    net, _ = network("cifar_resnet20_b", attention="se")
    gluon_attn.save_params(net, f"{path}.se")
    return f"{path}.se"


def test_images_that_a_network_does_not_take():
    net = made(7, attention="fca")
    check_sizes(net, [(32, 32)], [mx.cpu()], "it")
    with pytest.raises(UserError, match=r"^it takes no images of 40x32: .*made for maps of 32x32"):
        check_sizes(net, [(32, 32), (40, 32)], [mx.cpu()], "it")


def test_an_attention_for_one_size_of_map_refuses_growing_images():
    made(7, smaller=((16, 16),), attention="se")
    with pytest.raises(UserError, match=r"^model cifar_resnet20_v1 takes no images of 16x16: .*\(spatial\), got 16x16"):
        made(7, smaller=((16, 16),), attention="fca")
