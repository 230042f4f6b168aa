"""Run folders, checkpoints, exports, plans, genotypes and schemes that an earlier version wrote: see tests/earlier."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gluon_attn import Plan, get_attention, get_model
from gluon_attn.cli import main, search, train_cifar
from gluon_attn.config.ean import EanConfig
from gluon_attn.config.train import RunConfig
from gluon_attn.deploy.predictor import load
from gluon_attn.models.scheme import Scheme
from gluon_attn.runs.folder import RunFolder
from gluon_attn.search.ean.policy_search import EanSearch
from gluon_attn.search.ean.search_state import load_search

EARLIER = Path(__file__).parent / "earlier"
EXPECTED = json.loads((EARLIER / "expected.json").read_text(encoding="utf-8"))
IMAGES = np.random.default_rng(5).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", ["run", "export/run-symbol.json", "export/run.onnx", "bundles/openvino-float32"])
def test_a_trained_network_computes_what_it_did(name):
    if name.startswith("bundles"):
        pytest.importorskip("openvino", reason="OpenVINO is not installed")
    logits = np.array(EXPECTED["logits"])
    # float32 on another processor, or in another library: 1e-5 of the largest logit, as exports are checked with
    np.testing.assert_allclose(load(EARLIER / name).predict(IMAGES), logits, rtol=0, atol=1e-5 * abs(logits).max())


def test_the_options_of_a_run_are_read():
    config = RunFolder(EARLIER / "run").read_config()
    assert isinstance(config, RunConfig)
    assert (config.model.model, config.optim.ema, config.data.train_images) == ("darts_cifar", 0.9, 24)
    assert [record["epoch"] for record in RunFolder(EARLIER / "run").read_history()] == [0]


@pytest.mark.parametrize(
    ("name", "command"), [("run", train_cifar), ("cells", lambda words: search(["att-darts", *words]))]
)
def test_a_run_resumes(name, command, tmp_path, monkeypatch):
    """Checkpoint, optimizer, EMA and random state are read: the next epoch is the one that version had."""
    shutil.copytree(EARLIER / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    words = ["--run-dir", name, "--resume", "auto", "--num-epochs", "2"]
    assert (train_cifar(words) if name == "run" else search(["att-darts", *words])) == 0
    found = RunFolder(tmp_path / name).read_history()[1]
    for key, value in EXPECTED["next_epoch"][name].items():
        if key == "mixing":
            for kind, rows in value.items():
                np.testing.assert_allclose(found[key][kind], rows, rtol=1e-3, atol=1e-6, err_msg=kind)
        elif isinstance(value, float):  # sums of few images on another processor
            assert found[key] == pytest.approx(value, rel=1e-3), key
        else:
            assert found[key] == value, key


def test_a_search_for_connections_goes_on_from_its_state():
    options = RunFolder(EARLIER / "connections").read_options()
    config = EanConfig.from_dict({key[4:]: value for key, value in options.items() if key.startswith("ean.")})
    found = EanSearch(9, lambda schemes: [0.0] * len(schemes), config, seed=options["train.seed"])
    load_search(found, EARLIER / "connections/state/ean")
    written = (EARLIER / "connections/samples-ean.jsonl").read_text(encoding="utf-8").splitlines()
    assert [sample["scheme"] for sample in found.samples] == [json.loads(line)["scheme"] for line in written]
    assert found.steps == 2
    found.step()
    assert len(found.samples) == len(written) + found.samples_per_step


def test_a_scheme_a_genotype_and_a_plan():
    path = EARLIER / "connections/best.json"
    found = Scheme.load(path)
    assert (found.model, found.attention, found.scheme) == ("cifar_resnet20_v1", "sge", "010010000")
    get_model("cifar_resnet20_v1", 4, scheme=str(path))
    get_model("darts_cifar", 4, genotype=str(EARLIER / "cells/genotype.json"), channels=4, layers=3, input_size=16)
    plan = Plan.from_dict(json.loads((EARLIER / "plan.json").read_text(encoding="utf-8")))
    assert [entry.name for entry in plan.entries] == ["eca", "se"]
    get_model("cifar_resnet20_v1", 4, plan=plan)
    assert get_attention("eca", 16)


def test_a_run_is_exported(tmp_path, capsys):
    shutil.copytree(EARLIER / "run", tmp_path / "run")
    assert main(["export", str(tmp_path / "run"), "--format", "symbol", "onnx"]) == 0
    written = capsys.readouterr().out
    assert written.count("agrees with the trained network on 12 images") == 2
