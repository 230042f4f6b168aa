"""Our weights for timm and torchvision: exact there and back, and what they do not have."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import Plan, get_model
from gluon_attn.convert import load_reference, read_weights, reference_state, save_reference
from gluon_attn.convert.counterpart import counterpart
from gluon_attn.runs.checks.case import randomize_norms
from gluon_attn.utils.errors import UserError

SK = {"name": "sk", "groups": 1, "narrowest": 8, "split": True}
SK1 = {"slot": "conv1", "name": "sk", "options": {"groups": 1, "reduction": 8, "narrowest": 16, "split": True}}
LIGHT = {"stem": "large", "blocks": [1, 1, 3, 1]}  # ecaresnetlight has 11 and 3
BYOB = {"stem": "tiered", "stem_pool": False}
TS = {**BYOB, "blocks": [2, 3, 3, 2], "widths": [64, 128, 384, 384], "activation": "swish"}


def inner(name, **options):
    return Plan([{"slot": "inner", "name": name, "options": options}])


#: (target, model, options, what makes it there)
NETWORKS = [
    ("timm", "resnet18_v1b", {}, "timm.create_model('resnet18', num_classes=5)"),
    ("timm", "se_resnet50", {}, "timm.create_model('resnet50', num_classes=5, block_args={'attn_layer': 'se'})"),
    (
        "timm",
        "resnet34_v1b",
        {"attention": {"name": "se", "narrowest": 8}},
        "'resnet34', num_classes=5, block_args={'attn_layer': 'se'})",
    ),
    (
        "timm",
        "resnet50_v1d",
        {"attention": "eca"},
        "timm.create_model('resnet50d', num_classes=5, block_args={'attn_layer': 'eca'})",
    ),
    (
        "timm",
        "resnet50_v1d",
        {"attention": "eca", "stem": "tiered", "blocks": [2, 2, 2, 2]},
        "'resnet26t', num_classes=5, block_args={'attn_layer': 'eca'})",
    ),
    (
        "timm",
        "resnet50_v1d",
        {"attention": "eca", **LIGHT},
        "layers=(1, 1, 3, 1), avg_down=True, block_args={'attn_layer': 'eca'})",
    ),
    ("timm", "resnet50_v1b", {"stem": "deep", "stem_width": 64}, "timm.create_model('resnet50s', num_classes=5)"),
    (
        "timm",
        "resnet18_v1d",
        {"stem": "tiered", "widths": [32, 64, 64, 96]},
        "channels=(32, 64, 64, 96), layers=(2, 2, 2, 2), stem_type='deep_tiered', stem_width=32, avg_down=True)",
    ),
    ("timm", "resnet18_v1b", {"activation": "swish"}, "timm.create_model('resnet18', num_classes=5, act_layer='silu')"),
    ("timm", "resnet18_v1b", {"attention": {"name": "cbam", "bias": False}}, "{'attn_layer': 'cbam'})"),
    ("timm", "resnet18_v1b", {"attention": {"name": "gc", "epsilon": 1e-6}}, "{'attn_layer': 'gc'})"),
    ("timm", "resnet18_v1b", {"attention": {"name": "gca", "epsilon": 1e-6}}, "{'attn_layer': 'gca'})"),
    ("timm", "resnet18_v1b", {"attention": "light_cbam"}, "{'attn_layer': 'lcbam'})"),
    ("timm", "resnet18_v1b", {"attention": "ese"}, "{'attn_layer': 'ese'})"),
    ("timm", "resnet50_v1b", {"attention": SK}, "timm.create_model('skresnet50', num_classes=5)"),
    ("timm", "resnet50_v1d", {"attention": SK}, "timm.create_model('skresnet50d', num_classes=5)"),
    ("timm", "resnet18_v1b", {"plan": Plan([SK1])}, "timm.create_model('skresnet18', num_classes=5)"),
    ("timm", "resnet34_v1b", {"plan": Plan([SK1])}, "timm.create_model('skresnet34', num_classes=5)"),
    ("timm", "skresnet18", {}, "timm.create_model('skresnet18', num_classes=5)"),
    ("timm", "botnet26t", {"input_size": 64}, "timm.create_model('botnet26t_256', num_classes=5, img_size=64)"),
    ("timm", "halonet50ts", {}, "timm.create_model('halonet50ts', num_classes=5)"),
    ("timm", "lambda_resnet26t", {}, "timm.create_model('lambda_resnet26t', num_classes=5)"),
    ("timm", "gcresnext26ts", {}, "timm.create_model('gcresnext26ts', num_classes=5)"),
    ("timm", "bat_resnext26ts", {}, "timm.create_model('bat_resnext26ts', num_classes=5)"),
    ("timm", "resnest14", {}, "timm.create_model('resnest14d', num_classes=5)"),
    (
        "timm",
        "resnet50_v1b",
        {"plan": inner("gca", epsilon=1e-6), **BYOB},
        "timm.create_model('gcresnet50t', num_classes=5)",
    ),
    (
        "timm",
        "resnet50_v1b",
        {"plan": inner("gca", epsilon=1e-6), **TS, "final_width": 1280},
        "'resnet33ts', num_classes=5, attn_layer='gca')",
    ),
    (
        "timm",
        "resnet50_v1b",
        {"plan": inner("se", narrowest=8), **TS, "final_width": 1280},
        "'resnet33ts', num_classes=5, attn_layer='se')",
    ),
    (
        "timm",
        "resnet50_v1b",
        {"plan": inner("eca"), **TS, "final_width": 1280},
        "'resnet33ts', num_classes=5, attn_layer='eca')",
    ),
    ("timm", "resnet50_v1b", TS, "timm.create_model('resnet32ts', num_classes=5)"),
    ("torchvision", "resnet18_v1b", {}, "torchvision.models.resnet18(num_classes=5)"),
    ("torchvision", "mobilenet_v2", {}, "torchvision.models.mobilenet_v2(num_classes=5)"),
    (
        "torchvision",
        "mobilenet_v2",
        {"multiplier": 0.35, "rounding": "nearest"},
        "torchvision.models.mobilenet_v2(num_classes=5, width_mult=0.35)",
    ),
    ("torchvision", "mobilenet_v3_small", {}, "torchvision.models.mobilenet_v3_small(num_classes=5)"),
    ("timm", "mobilenet_v3_small", {"epsilon": 1e-5}, "timm.create_model('mobilenetv3_small_100', num_classes=5)"),
    ("timm", "efficientnet_b0", {}, "timm.create_model('efficientnet_b0', num_classes=5)"),
    ("torchvision", "regnety_400mf", {}, "torchvision.models.regnet_y_400mf(num_classes=5)"),
    ("timm", "mixnet_s", {}, "timm.create_model('mixnet_s', num_classes=5)"),
]


def made(model, options):
    net = get_model(model, 5, **options)
    net.initialize(mx.init.MSRAPrelu())  # the size of the maps stays
    randomize_norms(net, 0.1)
    return net


def values(net):
    return {path: param.data().asnumpy() for path, param in net._collect_params_with_prefix().items()}


@pytest.mark.parametrize(("target", "model", "options", "words"), NETWORKS)
def test_there_and_back_is_exact(target, model, options, words):
    net = made(model, options)
    assert str(counterpart(net, target)).endswith(words)
    again = get_model(model, 5, **options)
    load_reference(again, reference_state(net, target), target)
    before, after = values(net), values(again)
    assert all((before[path] == after[path]).all() for path in before)


@pytest.mark.parametrize(
    ("target", "model", "options", "words", "ending"),
    [(*row, "pth" if i % 4 else "safetensors") for i, row in enumerate(NETWORKS)],
)
def test_the_library_takes_them_and_agrees(target, model, options, words, ending, tmp_path):
    pytest.importorskip(target, reason=f"{target} is not installed")
    net = made(model, options)
    save_reference(net, tmp_path / f"net.{ending}", target)
    x = np.random.standard_normal((2, 3, 64, 64)).astype("float32")
    theirs = counterpart(net, target).logits(tmp_path / f"net.{ending}", x)  # strict there
    ours = net(mx.nd.array(x)).asnumpy()
    assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max()
    again = get_model(model, 5, **options)
    load_reference(again, read_weights(tmp_path / f"net.{ending}").tensors, target)
    before, after = values(net), values(again)
    assert all((before[path] == after[path]).all() for path in before)


@pytest.mark.parametrize(
    ("target", "model", "options"),
    [
        ("timm", "cifar_resnet20_v1", {}),
        ("timm", "se_resnet18", {}),  # its hidden layers are narrower
        ("timm", "cbam_resnet18", {}),  # its perceptron has biases
        ("timm", "eca_resnet18_official", {}),
        ("timm", "sge_resnet18", {}),
        ("timm", "mobilenet_v2", {}),
        ("timm", "resnet18_v1b", {"attention": SK}),
        ("timm", "resnet50_v1b", {"attention": {**SK, "reduction": 8}}),
        ("timm", "resnet18_v1b", {"plan": inner("eca")}),
        ("timm", "resnet18_v1b", {"activation": "elu"}),
        ("timm", "resnet18_v1b", {"final_width": 64}),
        ("timm", "resnet18_v1b", {"norm": "group"}),
        ("timm", "resnet18_v1b", {"stem_width": 32}),
        ("timm", "resnet50_v1b", {**TS, "final_width": 64}),
        ("timm", "resnet50_v1d", {**BYOB, "plan": inner("gca", epsilon=1e-6)}),
        ("timm", "resnet50_v1b", {**BYOB, "plan": inner("se")}),  # its hidden layers are narrower
        ("torchvision", "resnet18_v1b", {"stem": "deep"}),
        ("torchvision", "mobilenet_v2", {"multiplier": 0.75}),
        ("torchvision", "efficientnet_b0", {"attention": "eca"}),
        ("timm", "mobilenet_v3_large", {}),  # another epsilon
        ("torchvision", "resnet18_v1b", {"blocks": [1, 1, 1, 1]}),
        ("timm", "resnet18_v1b", {"plan": Plan([{"name": "se", "stages": [1]}])}),
        ("timm", "resnet18_v1b", {"plan": Plan([{"name": "se", "shared": True}])}),
        ("torchvision", "se_resnet18", {}),
        ("torchvision", "resnet18_v1d", {}),
        ("torchvision", "dia_fbresnet50", {}),
    ],
)
def test_what_they_do_not_have(target, model, options, tmp_path):
    with pytest.raises(UserError, match=f"^{target} has no network like this {model}"):
        save_reference(get_model(model, 5, **options), tmp_path / "a.pth", target)
    assert not list(tmp_path.iterdir())


def test_names_of_files_and_targets(tmp_path):
    net = made("resnet18_v1b", {})
    with pytest.raises(UserError, match=r"a.params must end in one of .safetensors, .pth, .pt"):
        save_reference(net, tmp_path / "a.params", "timm")
    with pytest.raises(UserError, match="unknown target 'keras'; choose from ean, timm, torchvision"):
        reference_state(net, "keras")
