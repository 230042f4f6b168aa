"""timm's own networks, from its weights alone: which flags fit, outputs, and the way back."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_model
from gluon_attn.cli import main
from gluon_attn.config.model import ModelConfig
from gluon_attn.convert import load_reference, reference_state
from gluon_attn.convert.counterpart import counterpart
from gluon_attn.convert.infer_model import flags, infer_config
from gluon_attn.convert.tensors import Tensors
from gluon_attn.models import variants_conv
from gluon_attn.models.build import build
from gluon_attn.models.factory import model_info
from gluon_attn.models.plan import Plan

SK50 = "--attention sk --attention-options groups=1 narrowest=8 split=true"
SE, GC = "--attention se --attention-options narrowest=8", "--attention-options epsilon=1.0e-06"
SE_INNER = "--attention se --slot inner --attention-options narrowest=8"
TS = (
    "resnet50_v1b --model-options stem=tiered stem_pool=false 'blocks=[2,3,3,2]' 'widths=[64,128,384,384]' "
    "activation=swish"
)
#: timm's name -> the flags, from the value of --model on
NETWORKS = {
    "resnet26d": "resnet50_v1d --model-options 'blocks=[2,2,2,2]'",
    "resnet50c": "resnet50_v1b --model-options stem=deep",
    "resnet50s": "resnet50_v1b --model-options stem=deep stem_width=64",
    "ecaresnet26t": "resnet50_v1d --model-options 'blocks=[2,2,2,2]' stem=tiered --attention eca",
    "ecaresnet50t": "resnet50_v1d --model-options stem=tiered --attention eca",
    "ecaresnet50d": "resnet50_v1d --attention eca",
    "ecaresnet101d": "resnet101_v1d --attention eca",
    "ecaresnetlight": "resnet50_v1d --model-options 'blocks=[1,1,11,3]' stem=large --attention eca",
    "seresnet18": f"resnet18_v1b {SE}",
    "seresnet34": f"resnet34_v1b {SE}",
    "seresnet50": f"resnet50_v1b {SE}",
    "seresnet50t": f"resnet50_v1d --model-options stem=tiered {SE}",
    "seresnet152d": f"resnet152_v1d {SE}",
    "skresnet18": "skresnet18",
    "skresnet34": "skresnet34",
    "skresnet50": f"resnet50_v1b {SK50}",
    "skresnet50d": f"resnet50_v1d {SK50}",
    "resnest26d": "resnest26",
    "resnest101e": "resnest101",
    "gcresnet50t": f"resnet50_v1b --model-options stem=tiered stem_pool=false --attention gca --slot inner {GC}",
    "gcresnet33ts": f"{TS} final_width=1280 --attention gca --slot inner {GC}",
    "seresnet33ts": f"{TS} final_width=1280 {SE_INNER}",
    "eca_resnet33ts": f"{TS} final_width=1280 --attention eca --slot inner",
    "resnet33ts": f"{TS} final_width=1280",
    "resnet32ts": TS,
}


def theirs(name):
    """(timm's network with random weights whose maps keep their size, its tensors)."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    timm = pytest.importorskip("timm", reason="timm is not installed")
    torch.manual_seed(np.random.randint(2**31))
    net = timm.create_model(name, num_classes=7).eval()
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            last = (layer.weight == 0).all()  # of a branch: timm starts it at 0
            layer.weight.data.uniform_(*((0.1, 0.3) if last else (0.5, 1.5)))
            layer.bias.data.normal_(0, 0.1)
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
    return net, Tensors.of({key: value.numpy() for key, value in net.state_dict().items()})


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_timm_told_by_its_tensors(name):
    net, tensors = theirs(name)
    config = infer_config(tensors, "timm")
    assert flags(config) == f"--model {NETWORKS[name]}"
    ours = build(config, 7)
    load_reference(ours, tensors, "timm")
    x = np.random.standard_normal((2, 3, 64, 64)).astype("float32")
    torch = pytest.importorskip("torch")
    with torch.no_grad():
        wanted = net(torch.from_numpy(x)).numpy()
    assert np.abs(ours(mx.nd.array(x)).asnumpy() - wanted).max() <= 1e-5 * np.abs(wanted).max()
    back = reference_state(ours, "timm")
    assert set(back) == {key for key in tensors if not key.endswith("num_batches_tracked")}
    # a softmax follows on that bias: no constant changes it, so ours has none
    assert all((back[key] == tensors[key]).all() for key in back if not key.endswith("conv_attn.bias"))
    import timm

    made = counterpart(ours, "timm")
    again = timm.create_model(made.name, **made.options)
    again.load_state_dict({key: torch.from_numpy(value) for key, value in back.items()})


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "resnet34_v1b", "attention": "eca"},
        {"model": "resnet18_v1d", "attention": "cbam", "attention_options": {"bias": False}},
        {"model": "resnet18_v1b", "attention": "light_cbam", "model_options": {"blocks": [1, 1, 1, 2]}},
        {"model": "resnet18_v1d", "attention": "gc", "attention_options": {"epsilon": 1e-6}},
        {"model": "resnet18_v1b", "attention": "ese", "model_options": {"stem": "tiered"}},
        {"model": "skresnet18"},
        {"model": "resnest14"},
        {
            "model": "resnet18_v1d",
            "attention": "sk",
            "slot": "conv1",
            "attention_options": {"groups": 1, "reduction": 8, "narrowest": 16, "split": True},
        },
    ],
)
def test_flags_that_fit_are_told_and_work(fields, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    net = build(ModelConfig(**fields), 3)
    net.initialize()
    mx.nd.save("in.params", {name: mx.nd.array(value) for name, value in reference_state(net, "timm").items()})
    words = flags(ModelConfig(**fields))
    for source in (["--source", "timm"], []):
        assert main(["convert", "in.params", "told.params", *source]) == 0
        assert f"network {words}\n" in capsys.readouterr().out
    assert main(["convert", "in.params", "out.params", "--source", "timm", "--model", "resnet50_v1b"]) == 2
    assert capsys.readouterr().err.strip().endswith(f"; these fit: {words}")
    assert main(["convert", "in.params", "out.params", "--source", "timm", *words.replace("'", "").split()]) == 0
    assert (tmp_path / "out.params").read_bytes() == (tmp_path / "told.params").read_bytes()


@pytest.mark.parametrize("name", ["resnest14", "resnest26", "resnest50", "skresnet34"])
def test_options_are_told_by_the_name_that_stands_for_them(name):
    model = model_info(name)
    net = get_model(model.backbone, 3, plan=Plan(model.entries), **variants_conv.CONV_NAMED[name][1])
    net.initialize()
    assert infer_config(Tensors.of(reference_state(net, "timm")), "timm") == ModelConfig(model=name)


def test_what_is_told_of_other_files():
    assert infer_config(Tensors.of({"layer1.0.conv1.weight": np.zeros((64, 3, 3, 3))}), "timm") is None
    assert infer_config(Tensors.of({"layer1.0.conv1.weight": np.zeros((64, 3, 3, 3))}), "ecanet") is None
    assert infer_config(Tensors.of({}), "torchvision") is None
    net = build(ModelConfig(model="resnet18_v1b"), 5)
    net.initialize()
    state = {f"module.{key}": value for key, value in reference_state(net, "torchvision").items()}
    assert infer_config(Tensors.of(state), "torchvision").model == "resnet18_v1b"
