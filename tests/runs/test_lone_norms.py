"""Batch norms that get one value per channel in training."""

import re

import mxnet as mx
import pytest
from mxnet.gluon import nn

from gluon_attn import get_attention, list_attentions
from gluon_attn.attention.factory import attention_options
from gluon_attn.cli import search, train_cifar
from gluon_attn.runs.lone_norms import lone_norms

SIZE = (8, 8)


def network(name):
    """Three channels to 16, the attention, a global pooling."""
    options = {"spatial": SIZE} if "spatial" in attention_options(name) else {}
    net = nn.HybridSequential()
    net.add(nn.Conv2D(16, 1, in_channels=3), get_attention(name, 16, **options), nn.GlobalAvgPool2D())
    net.initialize(mx.init.Xavier())
    return net


def decayed(net):
    """Names of the norms whose running variance only decays in a training step with one image, by value."""
    norms = {name: p for name, p in net._collect_params_with_prefix().items() if name.endswith("running_var")}
    x = mx.nd.random.normal(shape=(1, 3, *SIZE))
    before = {name: p.data().copy() for name, p in norms.items()}
    with mx.autograd.record():
        y = net(x).sum()
    y.backward()
    mx.nd.waitall()
    momenta = {}
    net.apply(lambda block: momenta.update({block.running_var.name: block._kwargs["momentum"]})
              if isinstance(block, nn.BatchNorm) else None)  # fmt: skip
    return {
        name.removesuffix(".running_var")
        for name, p in norms.items()
        if (p.data() - momenta[p.name] * before[name]).abs().max().asscalar() < 1e-7
    }


@pytest.mark.parametrize("name", list_attentions())
def test_exactly_the_norms_whose_variance_decays_are_found(name):
    net = network(name)
    found = lone_norms(net, SIZE, mx.cpu())
    assert {key.partition(" of ")[0] for key in found} == decayed(net)
    assert all(key.endswith(f" of {name}") for key in found) or name == "anas"


def test_which_attentions_have_such_norms():
    found = {name for name in list_attentions() if lone_norms(network(name), SIZE, mx.cpu())}
    assert found == {"bam", "cot", "ge_theta", "ge_theta_plus", "sk", "split", "srm"}


SMALL = (
    "--dataset synthetic --train-images 4 --val-images 4 --classes 2 --input-size 8 -j 0 --num-epochs 1 --kernels off"
)
LINE = re.compile(r"one image per step: the batch norms (.*) get one value per channel")


@pytest.fixture
def said(capfd, monkeypatch, tmp_path):
    """What a command warns of: the names in its warning, None without one."""

    def run(entry_point, words, *command):
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            assert entry_point([*command, *f"{SMALL} --run-dir run {words}".split()]) == 0
        err = capfd.readouterr().err
        (line,) = LINE.findall(err) or [None]
        assert (tmp_path / "run/log.txt").read_text().count("one image per step") == (line is not None)
        return line

    return run


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("--attention sk -b 1", r"features\.2\.0\.\S+ of sk, .* and \d+ more"),
        ("--attention sk -b 2", None),
        ("--attention se -b 1", None),
        ("--attention sk -b 1 --freeze features", None),
        ("--attention sk -b 1 --input-size 16 --progressive-size 8 --num-epochs 2", ".* of sk, .*"),
    ],
)
def test_training_warns_once_before_the_first_epoch(words, names, said):
    line = said(train_cifar, f"--model cifar_resnet20_v1 {words}")
    assert line == names or re.fullmatch(names, line)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("ean-supernet --model cifar_resnet20_v1 --attention ge_theta_plus -b 1 --hold-out 1", ".* of ge_theta_plus.*"),
        ("att-darts --layers 3 --channels 4 --nodes 1 --attentions bam -b 1 --draw-every 0", ".* of bam.*"),
        ("att-darts --layers 3 --channels 4 --nodes 1 --attentions bam -b 2 --draw-every 0", None),
        ("att-darts --layers 3 --channels 4 --nodes 1 --attentions se -b 1 --draw-every 0", None),
    ],
)
def test_searches_warn_too(words, names, said):
    command, _, flags = words.partition(" ")
    line = said(search, flags, command)
    assert line == names or re.fullmatch(names, line)
