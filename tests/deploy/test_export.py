"""`export_run`: which files are written, and that nothing is left when something fails."""

import os

import numpy as np
import pytest
from networks import digits_run, network

from gluon_attn.deploy import export, graph, predictor, write
from gluon_attn.nn.symbol_graph import SymbolGraph
from gluon_attn.utils.errors import UserError

pytest.importorskip("onnx")

BOTH = ("symbol", "onnx")


FILES = ["run-0000.params", "run-card.json", "run-symbol.json", "run.onnx"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return digits_run(tmp_path_factory.mktemp("runs") / "run")


def listing(folder):
    return sorted(item.name for item in folder.iterdir())


def test_files_are_named_after_the_run_and_checked(run, tmp_path):
    found = export.export_run(run, BOTH, tmp_path / "new" / "out")
    paths, agreements = [one.path for one in found], [one.agreement for one in found]
    assert listing(tmp_path / "new" / "out") == FILES
    assert [path.name for path in paths] == ["run-symbol.json", "run.onnx"]
    assert [one.kind for one in agreements] == list(BOTH)
    assert all(one.good and one.images == 64 for one in agreements)
    assert str(agreements[1]).startswith(f"onnx   {tmp_path}/new/out/run.onnx agrees with the trained network on 64")


def test_default_folder_is_in_the_run(run):
    (exported,) = export.export_run(run, check=False)
    assert exported.path == run / "export" / "run-symbol.json"
    assert exported.agreement is None
    assert listing(run / "export") == FILES[:3]


def test_preprocess_goes_into_the_card(run, tmp_path):
    images = np.zeros((2, 32, 32, 3), np.uint8)
    found = export.export_run(run, BOTH, tmp_path, preprocess=True, images=images)
    assert [one.agreement.images for one in found] == [2, 2]
    assert all(predictor.load(tmp_path / name).card.preprocess for name in FILES[2:])


@pytest.mark.parametrize("target", ["file", "file/below"])
def test_a_file_where_the_folder_should_be(run, tmp_path, target):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="cannot write to"):
        export.export_run(run, BOTH, tmp_path / target)
    assert listing(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_where_a_file_should_be(run, tmp_path):
    (tmp_path / "run.onnx").mkdir()
    (tmp_path / "run.onnx" / "mine").write_text("")
    with pytest.raises(UserError, match=r"run\.onnx: it is a folder"):
        export.export_run(run, BOTH, tmp_path, check=False)
    assert listing(tmp_path) == ["run.onnx"]
    assert listing(tmp_path / "run.onnx") == ["mine"]


def test_a_full_disk_leaves_nothing(run, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(write.onnx, "write_onnx", full)
    with pytest.raises(UserError, match="No space left on device"):
        export.export_run(run, BOTH, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_files_that_differ_do_not_replace_good_ones(run, tmp_path, monkeypatch):
    (tmp_path / "run.onnx").write_text("an earlier export")
    trace = write.trace

    def wrong(net, card, plain=False):
        graph = trace(net, card, plain)
        graph.args["dense0_bias"][0] += 1
        return graph

    monkeypatch.setattr(write, "trace", wrong)
    with pytest.raises(UserError, match=r"nothing was exported: symbol-float32 differs from the trained network by"):
        export.export_run(run, BOTH, tmp_path)
    assert listing(tmp_path) == ["run.onnx"]
    assert (tmp_path / "run.onnx").read_text() == "an earlier export"


def test_unknown_format(run, tmp_path):
    with pytest.raises(UserError, match="unknown format 'tflite'"):
        export.export_run(run, ("tflite",), tmp_path / "out")


_SMALL = {"widths": [8, 8, 8, 8], "input_size": 32}


@pytest.mark.parametrize(
    ("name", "drops", "options"),
    [
        ("resnet18_v1b", {"dropblock_prob": 0.2}, _SMALL),
        ("resnet18_v1b", {"drop_path": 0.2}, _SMALL),
        ("efficientnet_b0", {"drop_path": 0.2}, {"width": 0.25, "input_size": 32}),
        ("darts_cifar", {"drop_path": 0.2}, {"channels": 4, "layers": 3, "genotype": "Att_DARTS", "input_size": 32}),
    ],
)
def test_what_training_drops_is_not_in_the_graph(name, drops, options):
    without = dict.fromkeys(drops, 0.0)
    graphs = [graph.trace(*network(name, **{**options, **one}), plain=True).symbol for one in (drops, without)]
    with_drops, plain = ([node.op for node in SymbolGraph.read(symbol).nodes] for symbol in graphs)
    assert with_drops == plain
