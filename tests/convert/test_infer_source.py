"""Whose weights a file has, told by its tensors."""

import mxnet as mx
import pytest
from reference_states import state_of

from gluon_attn import get_model
from gluon_attn.cli import main
from gluon_attn.convert import reference_state
from gluon_attn.convert.infer_source import infer_source
from gluon_attn.convert.tensors import Tensors
from gluon_attn.utils.errors import UserError


def made(name, **options):
    net = get_model(name, 3, **options)
    net.initialize(mx.init.Xavier())
    net(mx.nd.zeros((1, 3, 64, 64)))
    return net


@pytest.mark.parametrize(
    ("name", "options", "source", "told"),
    [
        ("eca_resnet18", {}, "timm", "timm"),
        ("eca_resnet18", {}, "ecanet", "ecanet"),
        ("resnet18_v1b", {"attention": {"name": "cbam", "bias": False}}, "timm", "timm"),
        ("resnet18_v1b", {}, "torchvision", "timm"),  # the same names and values
        ("mobilenet_v2", {}, "torchvision", "torchvision"),
        ("mobilenet_v2", {}, "gluoncv", "gluoncv"),
        ("anas_resnet20", {}, "anas", "anas"),
        ("att_darts_cifar", {"channels": 4, "layers": 3}, "att-darts", "att-darts"),
        ("sge_fbresnet50", {"scheme": "1001011010011011", "variant": "reference"}, "ean", "ean"),
    ],
)
def test_the_source_of_each_repositorys_names(name, options, source, told):
    net = made(name, **options)
    state = Tensors.of(state_of(net, source)[0])
    assert infer_source(lambda _: net, state) == told


def test_what_fits_none():
    net = made("resnet18_v1b")
    state = reference_state(made("eca_resnet18"), "timm")
    with pytest.raises(UserError, match="of another network; by the nearest names, timm's: they have layer1"):
        infer_source(lambda _: net, Tensors.of(state))


def test_a_file_alone(tmp_path, monkeypatch, capsys):
    """Neither source nor network, nor the name of the file to write."""
    monkeypatch.chdir(tmp_path)
    net = made("eca_resnet18")
    mx.nd.save("theirs.pth", {name: mx.nd.array(value) for name, value in reference_state(net, "timm").items()})
    assert main(["convert", "theirs.pth"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["source  timm", "network --model resnet18_v1b --attention eca"]
    assert lines[-1].endswith("--attention eca --pretrained theirs.params")
    assert main(["convert", "theirs.pth"]) == 2
    assert "theirs.params is there already: name the file to write" in capsys.readouterr().err
    words = ["theirs.pth", "b.params", "--model", "eca_resnet18"]
    assert main(["convert", *words]) == 0
    assert "source  timm" in capsys.readouterr().out
    assert (tmp_path / "b.params").read_bytes() == (tmp_path / "theirs.params").read_bytes()
    assert main(["convert", "theirs.pth", "--to", "timm"]) == 2
    assert "name the file to write: .safetensors" in capsys.readouterr().err
