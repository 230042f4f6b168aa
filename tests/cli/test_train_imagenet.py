"""train_imagenet.py: commands as the reference repositories print them, on a few small photographs."""

import json
import shlex

import pytest
import yaml
from photographs import draw_set

from gluon_attn.cli import main, train_imagenet
from gluon_attn.cli.train import script_options

OPEN_ATAC = (
    "--mode hybrid --lr 0.075 --lr-mode cosine --num-epochs 160 --batch-size 128 --num-gpus 2 -j 48 --warmup-epochs 5 "
    "--dtype float16 --use-rec --last-gamma --no-wd --label-smoothing --save-dir params_resnet50_v1b_ChaATAC_2 "
    "--logging-file resnet50_v1b_ChaATAC_2.log --r 2 --act-layers 2"
)
#: a step takes a second; the tests that need a network at all take this one
SMALL = "--batch-size 8 -j 1 --input-size 32 --num-epochs 1 --classes 3"


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return draw_set(tmp_path_factory.mktemp("photographs"), train=16, val=6)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def start(words, *more):
    return train_imagenet([*shlex.split(words), *map(str, more)])


def options(folder):
    return yaml.safe_load((folder / "config.yaml").read_text())


def test_open_atacs_published_command(photographs, here, capfd):
    assert start(f"{OPEN_ATAC} {SMALL} --warmup-epochs 0 --data-dir", photographs) == 0
    errors = capfd.readouterr().err
    assert errors.count("no usable GPU here") == 1
    assert errors.count("a CPU computes no float16") == 1
    folder = here / "runs/imagenet_rec-atac_resnet50_v1b"
    card = json.loads((folder / "card.json").read_text())
    assert card["options"] == {"input_size": 32, "last_gamma": True, "reduction": 2, "act_layers": 2}
    assert options(folder)["optim"]["no_wd"] is True
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 1
    assert "epoch 0: train loss" in (here / "resnet50_v1b_ChaATAC_2.log").read_text()


def test_the_eca_repositorys_command(photographs, here):
    """`-a eca_resnet50 --ksize 3557 DATA_DIR` with a smaller sister network."""
    words = "-a eca_resnet18 --ksize 3557 --workers 2 --epochs 1 --learning-rate 0.01 --weight-decay 1e-4 -p 1 --gpu 0"
    assert start(f"{words} -b 8 --input-size 32", photographs) == 0
    folder = here / "runs/imagenet_folder-eca_resnet18"
    plan = json.loads((folder / "card.json").read_text())["plan"]["entries"]
    assert [(entry["options"]["kernel_size"], entry["stages"]) for entry in plan] == [(3, [1]), (5, [2, 3]), (7, [4])]
    assert options(folder)["data"]["data_dir"] == str(photographs)


def test_eans_command(photographs, here):
    words = "-a forward_config_share_sge_resnet50 --checkpoint made --config_codes 4 11 19 3 -b 12 --epochs 1 -j 1"
    assert start(f"{words} --input-size 64 -data", photographs) == 0
    assert json.loads((here / "made/card.json").read_text())["options"]["scheme"] == "1001011010011011"


def test_a_folder_without_a_split(photographs, here, capsys):
    """Told what is needed, trained on, evaluated on the same test images, and as a whole."""
    flat = photographs / "train"
    words = "--model resnet18_v1b -b 8 -j 1 --input-size 32 --num-epochs 1 --lr-mode step --run-dir run"
    assert start(words, flat) == 2
    line = f"{flat} holds class folders (cat, dog, eel), not train and val: --val-share 0.2 tests on a fifth of the"
    assert line in capsys.readouterr().err
    assert not (here / "run").exists()
    assert start(f"{words} --val-share 0.25", flat) == 0
    assert "option lr_decay_epoch (30, 60, 90) is after the end of the run" in capsys.readouterr().err
    record = json.loads((here / "run/metrics.jsonl").read_text())
    assert main(["eval", "run", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["images"], found["accuracy"]) == (4, pytest.approx(record["val_accuracy"]))
    assert main(["export", "run", "--format", "symbol", "--out", "out"]) == 0
    capsys.readouterr()
    assert main(["eval", "out/run-symbol.json", "--data-dir", str(flat)]) == 0
    seen = capsys.readouterr()
    assert "16 test images" in seen.out
    assert "(batch 16)" in seen.out
    assert f"{flat} has no training and test images of its own: all are evaluated, also those a network was" in seen.err


def test_weights_are_tested_and_trained_on(photographs, here, capsys):
    base = (
        f"--model resnet18_v1b --use-rec {SMALL} --lr-mode step --lr-decay-epoch 2 --lr 0.01 --data-dir {photographs}"
    )
    assert start(f"{base} --run-dir first") == 0
    first = json.loads((here / "first/metrics.jsonl").read_text())
    capsys.readouterr()
    assert start(f"{base} --pretrained first/best.params -e") == 0
    printed = dict(part.split() for part in capsys.readouterr().out.split(", "))
    assert {name: float(value) for name, value in printed.items()} == {
        name: pytest.approx(first[f"val_{name}"], abs=1e-4) for name in ("loss", "accuracy")
    }
    assert not (here / "runs").exists()
    more = "--num-epochs 3 --resume-params first/best.params --resume-epoch 2 --run-dir second"
    assert start(f"{base} {more}") == 0
    record = json.loads((here / "second/metrics.jsonl").read_text())  # one line: the epoch that was left
    assert (record["epoch"], record["lr"]) == (2, pytest.approx(0.001))


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            "--resume-states f --pretrained p",
            "f is a pickle, whose code would run: add --trust if you made it yourself",
        ),
        ("--resume-states f --trust", "--resume-states needs the weights: --pretrained FILE or --use-pretrained"),
        ("--trust", "--trust is for --resume-states: leave it out"),
        ("--dist-url tcp://a", "--dist-url has no meaning here: start several processes with horovodrun -np N"),
        ("--use_avd", "--use-avd is for ResNeSt: give --model resnest50, or --attention split"),
        ("-e", "--evaluate needs the weights: --pretrained FILE or --use-pretrained"),
        ("--start-epoch 1", "--start-epoch needs the weights"),
        ("--start-epoch 4 --epochs 4 --pretrained f", "--start-epoch 4 leaves nothing of --num-epochs 4"),
        ("--no-cuda --num-gpus 1", "--no-cuda asks for no GPU"),
        ("--use-pretrained --use-rec", "there are no published parameters of 'resnet50_v1b'"),
        ("nowhere", "cannot read nowhere: no such folder; name the folder with the images"),
        ("nowhere --val-share 0.2 --rec-val x.rec", "--rec-val has no effect on imagenet_folder"),
        ("--use-rec --val-share 0.2 --rec-val x.rec", "--rec-val names the test images, --val-share splits them off"),
        ("nowhere --val-seed 2", "--val-seed needs --val-share"),
        ("nowhere --val-share 1.5", "--val-share must be from 0 to 1, got 1.5"),
        ("a b", "unexpected argument 'b'"),
    ],
)
def test_mistakes_are_one_line(photographs, here, capsys, words, line):
    data = ["--data-dir", photographs] if "--use-rec" in words else []
    assert start(words, *data) == 2
    errors = [text for text in capsys.readouterr().err.splitlines() if "no usable GPU" not in text]
    assert len(errors) == 1
    assert line in errors[0]
    assert not list(here.iterdir())


@pytest.mark.parametrize("words", ["--model resnest50", "--model resnet50_v1d --attention split"])
def test_average_pooled_strides_are_resnests(words):
    options = script_options("train_imagenet.py", [*words.split(), "--use_avd"])
    assert options.config() == script_options("train_imagenet.py", words.split()).config()
