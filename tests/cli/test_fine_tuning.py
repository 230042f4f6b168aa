"""From a converted file, or a published one, to a network for other images."""

import json
import shlex
from pathlib import Path

import mxnet as mx
import pytest

from gluon_attn import get_model, save_params
from gluon_attn.cli import main, train_cifar
from gluon_attn.convert import reference_names
from gluon_attn.models.catalogue import shipped
from gluon_attn.nn.params import classifier, read_params
from gluon_attn.utils.optional import without_torch

SMALL = "--dataset synthetic --train-images 40 --val-images 20 --batch-size 20 --num-epochs 1 --save-period 0 --lr 0.1"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLUON_ATTN_HOME", raising=False)


def train(words):
    return train_cifar(shlex.split(words))


def test_a_converted_file_is_fine_tuned():
    """The network of another repository, for 7 classes, to 10: the features stay bit for bit, the classifier is new."""
    net = get_model("cifar_resnet20_a", 7, attention="eca")
    net.initialize(mx.init.Xavier())
    own, names = net._collect_params_with_prefix(), reference_names(net, "ecanet")
    mx.nd.save("in.params", {names[path]: param.data() for path, param in own.items()})
    flags = "--source ecanet --model cifar_resnet20_a --attention eca"
    assert main(["convert", "in.params", "out.params", *flags.split()]) == 0
    network = "--model cifar_resnet20_a --attention eca"
    assert train(f"{SMALL} {network} --pretrained out.params --classes 10 --freeze features --run-dir run") == 0
    before, after = read_params("out.params"), read_params("run/best.params")
    head = classifier(net)
    assert head == ["linear.weight", "linear.bias"]
    for name in before:
        if name in head:
            assert after[name].shape[0] == 10
        else:
            assert (before[name] == after[name]).asnumpy().all(), name


def test_the_published_network_is_a_start(caplog):
    network = "--model cifar_resnet20_v1 --attention eca --use-pretrained --freeze features --classes 3"
    assert train(f"{SMALL} {network} --run-dir run") == 0
    before, after = read_params(shipped() / "digits_resnet20_eca.params"), read_params("run/best.params")
    assert after["output.weight"].shape == (3, 64)
    assert (before["features.0.weight"] == after["features.0.weight"]).asnumpy().all()
    assert "digits_resnet20_eca.params is for another number of classes" in caplog.text
    assert train("--dataset digits --model cifar_resnet20_v1 --attention eca --use-pretrained --classes 10 -e") == 0
    assert train("--dataset digits --classes 9 --num-epochs 1") == 2


def test_states_of_mxnets_trainer(capsys):
    with without_torch():
        from gluoncv import model_zoo

    theirs = model_zoo.get_model("cifar_resnet20_v1", classes=10)
    theirs.initialize(mx.init.Xavier())
    trainer = mx.gluon.Trainer(theirs.collect_params(), "nag", {"momentum": 0.9, "learning_rate": 0.1})
    with mx.autograd.record():
        loss = theirs(mx.nd.random.normal(shape=(2, 3, 32, 32))).square().mean()
    loss.backward()
    trainer.step(2)
    trainer.save_states("a.states")
    theirs.save_parameters("a.params")
    words = f"{SMALL} --model cifar_resnet20_v1 --resume-params a.params --resume-states a.states"
    assert train(f"{words} --run-dir none") == 2
    assert "a.states is a pickle, whose code would run: add --trust" in capsys.readouterr().err
    assert train(f"{words} --trust --run-dir with") == 0
    assert train(f"{SMALL} --model cifar_resnet20_v1 --resume-params a.params --run-dir without") == 0
    losses = [json.loads(Path(run, "metrics.jsonl").read_text())["train_loss"] for run in ("with", "without")]
    assert losses[0] != losses[1]  # the momentum has an effect


def test_a_new_attention_on_a_pretrained_backbone(caplog):
    net = get_model("cifar_resnet20_v1", 7)
    net.initialize(mx.init.Xavier())
    save_params(net, "plain.params")
    network = "--model cifar_resnet20_v1 --attention se --classes 10 --pretrained plain.params"
    assert train(f"{SMALL} {network} --freeze-epochs 1 --num-epochs 1 --run-dir none") == 2
    words = "--model cifar_resnet20_v1 --classes 10 --pretrained plain.params -e --run-dir none"
    assert train(f"{SMALL} {words}") == 2  # its classifier is not in the file
    more = "--attention-start identity --freeze-epochs 1 --num-epochs 2 --layer-decay 0.5"
    with caplog.at_level("INFO", logger="gluon_attn"):
        assert train(f"{SMALL} {network} {more} --keep-checkpoints 2 --run-dir run") == 0
    for said in (
        "plain.params has no weights of the attention: features.2.0.post, features.2.1.post, features.2.2.post and 6 "
        "more are initialized anew; it is for another number of classes: output.weight and output.bias",
        "9 modules begin with gates of 0.5, made up for by the layers before them",
        "freeze_epochs: the pretrained backbone is frozen before epoch 1, 38 tensors are trained meanwhile",
        "epoch 1: the backbone is trained from now on",
    ):
        assert said in caplog.text
    before = read_params("plain.params")
    epochs = [read_params(f"run/checkpoints/epoch-000{number}/net.params") for number in (1, 2)]
    name = "features.2.0.body.0.weight"
    assert [bool((before[name] == one[name]).asnumpy().all()) for one in epochs] == [True, False]
    assert main(["eval", "run"]) == 0
    assert train(f"{SMALL} {network} --attention-start identity --attention simam --run-dir other") == 2
    assert not Path("other").exists()


@pytest.mark.parametrize(
    ("theirs", "ours", "what"),
    [
        ("se_resnext50_32x4d", "resnext50_32x4d", "it has layer1.0.post.mlp"),
        ("mobilenetv3_large", "mobilenet_v3_large", "it lacks hidden.bias"),
        ("efficientnet_b1", "efficientnet_b0", "it has blocks.0.1."),
    ],
)
def test_the_file_of_a_sibling_is_refused(theirs, ours, what, capsys):
    """In one line that names a tensor, wherever a file of weights is read; nothing is written."""
    net = get_model(theirs, 10)
    net.initialize(mx.init.Xavier())
    net(mx.nd.zeros((1, 3, 64, 64)))
    save_params(net, "theirs.params")
    started = f"{SMALL} --classes 10 --input-size 64 --model {ours} --pretrained theirs.params"
    for words in (
        f"train {started}",
        f"train {started} --evaluate",
        f"convert theirs.params x.pth --to timm --model {ours}",
    ):
        assert main(words.split()) == 2
        *_, line = capsys.readouterr().err.splitlines()
        assert line.startswith("error: theirs.params is of another network: ")
        assert what in line
    assert [path.name for path in Path().iterdir()] == ["theirs.params"]
