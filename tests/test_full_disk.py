"""Every kind of file on a disk that is full: at once, half-way, and on its last page."""

import dataclasses
import shutil

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon
from networks import digits_run, network
from photographs import draw_folder
from run_folders import run_folder
from small_disk import assert_one_line, check_writer

from gluon_attn import get_model, save_params
from gluon_attn.analyze import draw
from gluon_attn.analyze.plots import draw_history
from gluon_attn.checkpoint import CheckpointStore
from gluon_attn.cli import main
from gluon_attn.config.ean import EanConfig
from gluon_attn.config.files import write_yaml
from gluon_attn.config.train import RunConfig
from gluon_attn.convert import reference_state
from gluon_attn.convert.files import write_weights
from gluon_attn.data import scenes
from gluon_attn.data.write_records import pack
from gluon_attn.deploy import export, fastest
from gluon_attn.deploy.repository import write_repository
from gluon_attn.deploy.targets import ExportTarget
from gluon_attn.detect.pictures import save_png
from gluon_attn.detect.result_files import write_results
from gluon_attn.models.catalogue import publish
from gluon_attn.nn.params import write_tensors
from gluon_attn.runs.comparison import read_comparison
from gluon_attn.runs.comparison_files import write_comparison
from gluon_attn.runs.options import from_keywords
from gluon_attn.runs.pages.sweep import write_sweep
from gluon_attn.runs.report import report
from gluon_attn.runs.study.attempts import TrialState
from gluon_attn.runs.study.folder import StudyFolder
from gluon_attn.runs.study.plan import SWEEP, StudyPlan
from gluon_attn.runs.study.space import Factor
from gluon_attn.search.ean.policy_search import EanSearch
from gluon_attn.search.ean.search_state import save_search
from gluon_attn.utils.errors import WriteError
from gluon_attn.utils.files import write_json


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return digits_run(tmp_path_factory.mktemp("runs") / "run")


def test_scenes(small_disk):
    options = scenes.SceneOptions(train=2, val=1, size=64)
    check_writer(small_disk, lambda room: scenes._write(room / "scenes", options, 0), "scenes")


def test_parameter_files(small_disk):
    net, _ = network()
    check_writer(small_disk, lambda room: save_params(net, room / "best.params"), "best.params")


def test_a_single_number(small_disk):
    check_writer(small_disk, lambda room: write_tensors(room / "x.params", {"": mx.nd.zeros(1)}), "x.params")


def test_checkpoints(small_disk):
    net = gluon.nn.Dense(30, in_units=70)
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"momentum": 0.9}, kvstore=None)
    with mx.autograd.record():
        net(mx.nd.ones((1, 70))).backward()
    trainer.step(1)
    extra = {"average.params": {"w": mx.nd.ones((50, 50))}}

    def save(room):
        CheckpointStore(room).save(net, trainer, {"epoch": 3}, extra)

    check_writer(small_disk, save, "epoch-0003")


@pytest.mark.parametrize(("kind", "named"), [("symbol", "out"), ("onnx", "out")])
def test_exports_as_files(small_disk, run, kind, named):
    pytest.importorskip("onnx")
    check_writer(small_disk, lambda room: export.export_run(run, [kind], room / "out", check=False), named)


@pytest.mark.parametrize("kind", ["onnx-float16", "openvino-float32", "openvino-float16"])
def test_exports_as_bundles(small_disk, kind):
    target = ExportTarget(*kind.split("-"))
    pytest.importorskip({"symbol": "mxnet", "onnx": "onnxruntime"}.get(target.format, target.format))
    net, card = network("atac_cifar_resnet", blocks=1, act_type="relu")

    def write(room):
        export.export_network(net, card, "net", [target, ExportTarget("onnx")], room / "out")

    check_writer(small_disk, write, "out")


def test_a_repository(small_disk, run, tmp_path):
    pytest.importorskip("onnxruntime")
    net, card = network("atac_cifar_resnet", blocks=1, act_type="relu")
    bundles = export.export_network(net, card, "net", [ExportTarget("onnx")], tmp_path / "bundles")
    check_writer(small_disk, lambda room: write_repository(bundles, "net", "triton", room / "served"), "served")


def test_the_fastest_export_is_no_matter_of_room(small_disk):
    """A target that does not fit on the disk is not one that is left out."""
    net, card = network("atac_cifar_resnet", blocks=1, act_type="relu")
    small_disk.limit(2)
    targets = [ExportTarget("symbol")]
    with pytest.raises(WriteError) as caught:
        fastest.export_fastest(net, card, "net", targets, small_disk.room / "out", export.ExportChecks())
    assert_one_line(str(caught.value), small_disk.room / "out")
    assert small_disk.files() == {}


def test_records(small_disk, tmp_path):
    draw_folder(tmp_path / "set", 40)
    check_writer(small_disk, lambda room: pack(tmp_path / "set", room / "train"), "train.rec")


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_weights_for_other_libraries(small_disk, ending):
    pytest.importorskip({"pth": "torch"}.get(ending, ending))
    random = np.random.default_rng(1)
    state = {f"layer{i}.weight": random.normal(size=(40, 50)).astype(np.float32) for i in range(4)}
    check_writer(small_disk, lambda room: write_weights(room / f"out.{ending}", state), f"out.{ending}")


@pytest.mark.parametrize("name", ["results.json", "picture.png"])
def test_what_detection_leaves(small_disk, name):
    entry = {"image_id": 1, "category_id": 3, "score": 0.25, "bbox": [1.5, 2.5, 3.5, 4.5]}
    picture = np.random.default_rng(1).integers(0, 256, (60, 90, 3), np.uint8)
    writers = {
        "results.json": lambda path: write_results(path, [entry] * 150),
        "picture.png": lambda path: save_png(picture, path),
    }
    check_writer(small_disk, lambda room: writers[name](room / name), name)


@pytest.mark.parametrize("name", ["history.png", "report.html", "config.yaml", "card.json", "cells.svg", "state"])
def test_what_runs_and_searches_leave(small_disk, tmp_path, name):
    if name == "cells.svg" and draw.missing():
        pytest.skip(draw.missing())
    record = {"epoch": 0, "train_loss": 2.0, "val_loss": 2.0, "train_accuracy": 0.5, "val_accuracy": 0.5, "lr": 0.1}
    search = EanSearch(10, lambda schemes: [50.0 for _ in schemes], EanConfig(buffer=6), seed=3)
    search.run(3)
    made = run_folder(tmp_path / "run", [0.2, 0.4])
    writers = {
        "history.png": lambda path: draw_history([record, {**record, "epoch": 1}], path),
        "report.html": lambda path: report([made], path),
        "config.yaml": lambda path: write_yaml(path, RunConfig()),
        "card.json": lambda path: write_json(path, {"classes": [f"class {i}" for i in range(700)]}),
        "cells.svg": lambda path: draw.draw(draw.open_genotype("Att_DARTS"), path),
        "state": lambda path: save_search(search, path),
    }
    check_writer(small_disk, lambda room: writers[name](room / name), name)


@pytest.mark.parametrize("name", ["study.yaml", "comparison", "sweep", "best.yaml"])
def test_what_studies_leave(small_disk, tmp_path, name):
    space = (Factor("model.attention", (None, "se")),)
    plan = StudyPlan(from_keywords(RunConfig, {"dataset": "digits"}), space, (1, 2))
    states = [TrialState(n, "done", plan.combinations[n % 2], 0.1 + n / 10, result={"epochs": 3}) for n in range(4)]
    runs = StudyFolder(tmp_path / "study")
    for state in states:
        run_folder(runs.run(state.number).path, [0.2, state.score])
    costs = {"plain": (10, 20, 0.5, 1.0), "se": (11, 21, 0.6, 1.2)}
    found = read_comparison(runs, plan, states, costs)
    writers = {
        "comparison": lambda folder: write_comparison(dataclasses.replace(found, folder=folder)),
        "sweep": lambda folder: write_sweep(folder, dataclasses.replace(plan, kind=SWEEP), states, {}),
        "best.yaml": lambda folder: write_yaml(folder.recipe, plan.run_options({}).config()),
    }
    if name == "study.yaml":  # its folder has a lock, and an old plan is read
        small_disk.limit(0)
        with pytest.raises(WriteError) as caught:
            StudyFolder(small_disk.room).begin(plan)
        assert_one_line(str(caught.value), small_disk.room / name)
        assert set(small_disk.files()) == {".study.lock"}
        small_disk.limit(10)
        assert StudyFolder(small_disk.room).begin(plan) == plan
        return
    named = name if name.endswith(".yaml") else "results.csv"
    check_writer(small_disk, lambda room: writers[name](StudyFolder(room)), named)


def test_the_catalogue_keeps_weights_and_index_together(small_disk, tmp_path):
    net, card = network()
    save_params(net, tmp_path / "new.params")
    publish(small_disk.room, "net", tmp_path / "new.params", card, score={"images": 10, "accuracy": 0.9})
    before = small_disk.files()
    small_disk.limit(-(-len(before["net.params"]) // 4096))
    with pytest.raises(WriteError, match=r"cannot write .*/net\.params: No space left on device"):
        publish(small_disk.room, "net", tmp_path / "new.params", card, score={"images": 10, "accuracy": 0.8})
    assert small_disk.files() == before


def commands(run, folder):
    """Words of a command -> file or folder of its output that it names."""
    return {
        ("convert", str(folder / "theirs.params"), "best.params", "--source", "timm", *NETWORK): "best.params",
        ("convert", str(folder / "ours.params"), "out.safetensors", "--to", "timm", *NETWORK): "out.safetensors",
        ("export", str(run), "--format", "symbol", "onnx", "--output", "out"): "out",
        ("data", "pack", str(folder / "set"), "--output", "train"): "train.rec",
        ("report", str(folder / "plain"), "--output", "page.html"): "page.html",
    }


NETWORK = ("--model", "eca_resnet18", "--classes", "7")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with what the commands read."""
    folder = tmp_path_factory.mktemp("inputs")
    net = get_model("eca_resnet18", 7)
    net.initialize()
    state = reference_state(net, "timm")
    save_params(net, folder / "ours.params")
    write_tensors(folder / "theirs.params", {name: mx.nd.array(value) for name, value in state.items()})
    draw_folder(folder / "set", 12)
    run_folder(folder / "plain", [0.2, 0.5])
    return folder


@pytest.mark.parametrize("number", range(5))
def test_commands_end_with_one_line(small_disk, run, inputs, number, monkeypatch, capfd):
    monkeypatch.chdir(small_disk.room)
    words, named = list(commands(run, inputs).items())[number]
    assert main(list(words)) == 0
    sizes = [len(content) for content in small_disk.files().values() if content]
    shutil.rmtree(named) if (small_disk.room / named).is_dir() else None
    capfd.readouterr()
    small_disk.limit(sum(-(-size // 4096) for size in sizes) - 1)
    before = small_disk.files()
    assert main(list(words)) == 2
    said = capfd.readouterr()
    assert_one_line(said.err.splitlines()[-1].removeprefix("error: "), named)
    assert "wrote" not in said.out
    assert small_disk.files() == before
