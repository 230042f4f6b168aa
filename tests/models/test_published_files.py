"""Every file in params/: it is whole, fits its network, has a command that parses, and scores what is stated."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from gluon_attn import get_model
from gluon_attn.cli import main
from gluon_attn.cli.train import script_options
from gluon_attn.deploy.evaluate import evaluate_predictor
from gluon_attn.deploy.predictor import load
from gluon_attn.models.build import build
from gluon_attn.models.catalogue import catalogue, shipped
from gluon_attn.models.pretrained import find_published
from gluon_attn.runs.evaluation_data import open_test_set

NAMES = sorted(json.loads((shipped() / "index.json").read_text(encoding="utf-8"))["networks"])
ATTENTIONS = ("se", "eca", "cbam", "bam", "sge", "triplet", "cha_atac", "dia", "anas")


@pytest.fixture(autouse=True)
def _no_other_catalogue(monkeypatch):
    monkeypatch.delenv("GLUON_ATTN_HOME", raising=False)


def test_all_that_are_promised_are_there():
    wanted = {"digits_resnet20", "digits_att_darts", *(f"digits_resnet20_{name}" for name in ATTENTIONS)}
    assert set(NAMES) == wanted
    assert {path.stem for path in shipped().glob("*.params")} == wanted


@pytest.mark.parametrize("name", NAMES)
def test_it_scores_what_is_stated(name):
    stated = catalogue()[name].score
    predictor = load(name)
    found = evaluate_predictor(predictor, open_test_set(name, predictor.card).val)
    assert predictor.kind == "published"
    assert {"images": found.images, "correct": found.correct} == {key: stated[key] for key in ("images", "correct")}
    assert stated["accuracy"] == found.correct / found.images


@pytest.mark.parametrize("name", NAMES)
def test_it_says_where_it_comes_from(name):
    entry = catalogue()[name]
    assert entry.path().stat().st_size < 2e6
    _, script, *words = shlex.split(entry.command)
    config = script_options(script, words).config()
    net = build(config.model, entry.card.classes, entry.card.input_shape[1])
    assert find_published(net.recipe).name == name
    assert (config.train.seed, config.data.dataset) == (entry.seed, entry.card.dataset)
    epochs = Path(shipped(), entry.log).read_text(encoding="utf-8").count(" accuracy ")
    assert epochs >= config.train.num_epochs


def test_by_name_in_python_and_on_the_command_line(capsys, tmp_path):
    net = get_model("cifar_resnet20_v1", 10, attention="se", pretrained=True)
    weights = net.output.weight.data().asnumpy()
    assert np.abs(weights).max() > 0
    assert main(["models", "--pretrained"]) == 0
    text = capsys.readouterr().out
    assert all(any(line.startswith(f"{name} ") for line in text.splitlines()) for name in NAMES)
    assert main(["models", "--pretrained", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == NAMES
    assert main(["eval", "digits_resnet20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["correct"]) == ("published", catalogue()["digits_resnet20"].score["correct"])
    assert main(["eval", "digits_resnet20", "--input-size", "64"]) == 2
    assert "digits_resnet20 takes 32x32 images only" in capsys.readouterr().err
    assert main(["eval", "digits_resnet21"]) == 2
    assert "does not exist; name a run folder" in capsys.readouterr().err
