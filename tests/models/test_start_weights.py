"""A network with attention that starts from the file of one without: what is loaded, what starts anew, what is said."""

import mxnet as mx
import numpy as np
import pytest
from networks import network

import gluon_attn
from gluon_attn.models.added_parts import backbone_names, planned_modules
from gluon_attn.models.start_weights import start_from_file
from gluon_attn.nn.params import classifier
from gluon_attn.utils.errors import UserError


def weights(net):
    return {name: param.data().asnumpy() for name, param in net._collect_params_with_prefix().items()}


def saved(folder, model, classes=10, **options):
    net, _ = network(model, classes, **options)
    path = folder / f"{model}.params"
    gluon_attn.save_params(net, path)
    return path, weights(net)


def started(path, model, classes=10, **options):
    net = gluon_attn.get_model(model, classes, **options)
    net.initialize(mx.init.Normal(1))
    fresh = weights(net)
    return net, fresh, start_from_file(net, path, classifier(net, classes), classes)


PLANS = {
    # model, what is asked for, a path that starts anew, layers of the file that are left out
    "post": ("resnet18_v1b", {"attention": "se"}, "layer1.0.post", ()),
    "version 1": ("cifar_resnet20_v1", {"attention": "eca"}, "features.2.0.post", ()),
    "version 2": ("cifar_resnet20_v2", {"attention": "cbam"}, "features.2.0.post", ()),
    "named": ("eca_resnet18", {}, "layer1.0.post", ()),
    "a stage between rows": ("mobilenet_v2", {"attention": "bam"}, "features.2", ()),
    "shared": ("cifar_resnet20_b", {"attention": "dia"}, "layer1.0.post", ()),
    "inner": ("cifar_resnet20_v1", {"plan": {"version": 1, "entries": [{"name": "se", "slot": "inner"}]}},
              "features.2.0.body.3", ()),
    "conv": ("cifar_resnet20_b", {"attention": "lambda"}, "layer1.0.conv2", ("layer1.0.conv2",)),
    "conv with norm": ("cifar_resnet20_v1", {"attention": "sk"}, "features.2.0.body.3",
                       ("features.2.0.body.3", "features.2.0.body.4")),
    "bottleneck": ("resnet50_v1", {"attention": "cot"}, "features.4.0.body.3",
                   ("features.4.0.body.3", "features.4.0.body.4")),
    "act": ("cifar_resnet20_v2", {"attention": "cha_atac"}, "features.2.0.act1", ()),
}  # fmt: skip


@pytest.mark.parametrize("case", PLANS)
def test_what_a_plan_adds_starts_anew(case, tmp_path):
    model, asked, first, replaced = PLANS[case]
    plain = {"eca_resnet18": "resnet18_v1b"}.get(model, model)
    size = {"input_size": 32}
    path, before = saved(tmp_path, plain, **size)
    net, fresh, took = started(path, model, **asked, **size)
    after, there = weights(net), backbone_names(net).there
    assert took.modules[0] == first
    assert took.modules == tuple(where for where, one in planned_modules(net).items() if one.collect_params().keys())
    assert took.message().startswith(f"{path} has no weights of the attention: {first}")
    assert {name.rpartition(".")[0] for name in took.replaced} >= set(replaced)
    assert bool(took.replaced) == bool(replaced)
    loaded = set(after) - took.new_names(net)
    assert sorted(there) == sorted(loaded)
    assert set(before) == {there[name] for name in loaded} | set(took.replaced)
    for name, value in after.items():
        np.testing.assert_array_equal(value, before[there[name]] if name in loaded else fresh[name], err_msg=name)


def test_the_classifier_and_the_attention_are_told_in_one_line(tmp_path):
    path, _ = saved(tmp_path, "resnet18_v1b", 10)
    net, _, took = started(path, "resnet18_v1b", 7, attention="se")
    assert took.message() == (
        f"{path} has no weights of the attention: layer1.0.post, layer1.1.post, layer2.0.post and 5 more are "
        "initialized anew; it is for another number of classes: fc.weight and fc.bias are initialized anew, for 7"
    )
    assert {"fc.weight", "layer4.1.post.mlp.2.bias"} < took.new_names(net)
    assert "layer4.1.bn2.gamma" not in took.new_names(net)


def test_attention_that_the_file_has_is_loaded(tmp_path):
    plan = {"name": "se", "scheme": "100000000"}
    path, before = saved(tmp_path, "cifar_resnet20_b", plan={"version": 1, "entries": [plan]})
    net, _, took = started(path, "cifar_resnet20_b", attention="se")
    assert took.modules[0] == "layer1.1.post"
    assert len(took.modules) == 8
    name = "layer1.0.post.mlp.0.weight"
    np.testing.assert_array_equal(weights(net)[name], before[name])
    path, before = saved(tmp_path, "cifar_resnet20_b", attention="se")
    _, _, took = started(path, "cifar_resnet20_b", attention="se")
    assert not took.message()


@pytest.mark.parametrize(
    ("file", "asked", "complaint"),
    [
        (("cifar_resnet32_b", {}), {"attention": "se"}, r"is of another network: it has layer1\.3\..* besides"),
        (("cifar_resnet20_b", {"attention": "se"}), {}, r"is of another network: it has .*post.* besides"),
        (("cifar_resnet20_b", {"attention": "se"}), {"attention": "eca"}, r"is of another network: it .*post"),
        (("cifar_resnet20_b", {"attention": {"name": "se", "reduction": 4}}), {"attention": "se"}, r"has shape"),
        (("cifar_resnet20_v1", {}), {"attention": "se"}, r"is of another network: it lacks .* and it has|it lacks"),
    ],
)
def test_everything_else_must_fit(file, asked, complaint, tmp_path):
    path, _ = saved(tmp_path, file[0], **file[1])
    net = gluon_attn.get_model("cifar_resnet20_b", 10, **asked)
    net.initialize(mx.init.Normal(1))
    before = weights(net)
    with pytest.raises(UserError, match=complaint):
        start_from_file(net, path, classifier(net, 10), 10)
    after = weights(net)
    assert all((after[name] == before[name]).all() for name in before)


def test_another_attention_in_the_place_of_the_files_starts_anew(tmp_path):
    small = {"input_size": 32, "multiplier": 0.25}
    path, before = saved(tmp_path, "mobilenet_v3_small", **small)
    net, fresh, took = started(path, "mobilenet_v3_small", attention="eca", **small)
    assert took.message().startswith(f"{path} has no weights of the attention: blocks.0.0.inner, ")
    assert {name for name in before if ".inner." in name} == set(took.replaced)
    for name, value in weights(net).items():
        wanted = fresh if ".inner." in name else before
        np.testing.assert_array_equal(value, wanted[name], err_msg=name)
    net, _, took = started(path, "mobilenet_v3_small", **small)
    assert not took.message()
