"""Weights of timm and torchvision by name: by a stand-in for the library, and from its cache."""

import sys
from types import SimpleNamespace

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_model
from gluon_attn.cli import main
from gluon_attn.convert import reference_state
from gluon_attn.convert.files import write_weights
from gluon_attn.convert.library_weights import NETWORKS, library_network
from gluon_attn.utils.errors import UserError


class Array(np.ndarray):
    """As much of a tensor as is used."""

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return np.asarray(self)


@pytest.fixture(scope="module")
def seresnet18():
    """(network, its weights under timm's names)."""
    net = get_model("resnet18_v1b", 5, attention={"name": "se", "narrowest": 8})
    net.initialize(mx.init.Xavier())
    return net, reference_state(net, "timm")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty folder with empty caches, and no library."""
    monkeypatch.chdir(tmp_path)
    for name in ("HF_HUB_CACHE", "HF_HOME", "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("timm", "torchvision", "torchvision.models"):
        monkeypatch.setitem(sys.modules, name, None)
    return tmp_path


def install(monkeypatch, state, asked):
    def create_model(name, pretrained):
        asked.append((name, pretrained))
        if name.endswith("gone"):
            raise RuntimeError("Invalid pretrained tag\nand more")
        return SimpleNamespace(state_dict=lambda: {key: value.view(Array) for key, value in state.items()})

    def get_model(name, weights):
        return create_model(name, weights)

    monkeypatch.setitem(sys.modules, "timm", SimpleNamespace(create_model=create_model))
    monkeypatch.setitem(sys.modules, "torchvision", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "torchvision.models", SimpleNamespace(get_model=get_model))


def values(net):
    return {path: param.data().asnumpy() for path, param in net._collect_params_with_prefix().items()}


def cached(here, state, name):
    folder = here / f"cache/huggingface/hub/models--timm--{name}/snapshots/abc"
    folder.mkdir(parents=True)
    write_weights(folder / "model.safetensors", state)


def test_one_command_with_the_library(seresnet18, here, monkeypatch, capsys):
    asked = []
    install(monkeypatch, seresnet18[1], asked)
    assert main(["convert", "timm:seresnet18.tag"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert set(asked) == {("seresnet18.tag", True)}
    flags = "--model resnet18_v1b --attention se --attention-options narrowest=8"
    assert lines[0].startswith("read    timm:seresnet18.tag: timm's weights, ")
    assert lines[1:3] == ["source  timm", f"network {flags}"]
    assert lines[-1] == f"next    gluon-attn train {flags} --pretrained seresnet18.params"
    net = get_model("resnet18_v1b", 5, attention={"name": "se", "narrowest": 8}, pretrained="seresnet18.params")
    before, after = values(seresnet18[0]), values(net)
    assert all((before[path] == after[path]).all() for path in before)


@pytest.mark.parametrize(
    ("name", "tag", "weights", "ours"),
    [
        ("resnet18", "", "DEFAULT", "resnet18_v1b"),
        ("resnet18", ".IMAGENET1K_V2", "IMAGENET1K_V2", "resnet18_v1b"),
        ("mobilenet_v2", "", "DEFAULT", "mobilenet_v2"),
    ],
)
def test_torchvisions_have_tags_too(here, monkeypatch, capsys, name, tag, weights, ours):
    net = get_model(ours, 5)
    net.initialize()
    net(mx.nd.zeros((1, 3, 64, 64)))
    asked = []
    install(monkeypatch, reference_state(net, "torchvision"), asked)
    assert main(["convert", f"torchvision:{name}{tag}", "out.params"]) == 0
    assert asked == [(name, weights)]
    assert f"network --model {ours}\n" in capsys.readouterr().out


def test_a_cache_without_the_library(seresnet18, here, capsys):
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    cached(here, seresnet18[1], "seresnet18.a1_in1k")
    cached(here, seresnet18[1], "seresnet18d.a1_in1k")  # of another network
    assert main(["convert", "timm:seresnet18"]) == 0
    assert "seresnet18.params" in capsys.readouterr().out
    cached(here, seresnet18[1], "seresnet18.a2_in1k")
    assert main(["convert", "timm:seresnet18", "b.params"]) == 2
    assert "several weights of seresnet18: seresnet18.a1_in1k, seresnet18.a2_in1k" in capsys.readouterr().err
    assert main(["convert", "timm:seresnet18.a2_in1k", "b.params"]) == 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            "timm:seresnet50",
            "timm is not installed, and its cache has no seresnet50: pip install timm, or download its file elsewhere "
            "and give that: gluon-attn convert FILE OUT --source timm",
        ),
        (
            "torchvision:resnet50",
            "torchvision is not installed, and its cache has no resnet50: pip install torch torch",
        ),
        ("timm:resnetaa50d", "no network here takes the weights of timm's 'resnetaa50d'; did you mean "),
        ("timm:vit_base_patch16_224", "no network here takes the weights of timm's 'vit_base_patch16_224'"),
        (
            "timm:resnet50 out.params --source torchvision",
            "are weights of timm, not of torchvision: leave out --source",
        ),
        ("timm:resnet50 out.params --weights ema", "--weights chooses from a checkpoint in a file: leave it out"),
        ("timm:resnet50 out.params --attention se", "--attention is of the network that --model names: give both"),
    ],
)
def test_mistakes_are_one_line(here, capsys, words, line):
    assert main(["convert", *words.split()]) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
    assert list(here.iterdir()) == []


def test_what_the_library_says_is_one_line(seresnet18, monkeypatch, capsys):
    install(monkeypatch, seresnet18[1], [])
    assert main(["convert", "timm:seresnet18.gone"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: timm cannot load seresnet18.gone (Invalid pretrained tag): download its file else")


def test_names(here):
    assert str(library_network("timm:resnet50.a1_in1k")) == "timm:resnet50.a1_in1k"
    assert library_network("weights.pth") is None
    assert library_network("C:resnet50") is None
    (here / "timm:resnet51").touch()  # a file of this name
    assert library_network("timm:resnet51") is None
    with pytest.raises(UserError, match="no network here"):
        library_network("timm:")
    assert len(set(NETWORKS["timm"])) == len(NETWORKS["timm"])
