"""`runs.export.export` as a Python function."""

import pytest
from networks import digits_run

from gluon_attn.runs.export import export
from gluon_attn.utils.errors import UserError

pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return digits_run(tmp_path_factory.mktemp("runs") / "run")


def listing(folder):
    return sorted(item.name for item in folder.iterdir())


def test_files_by_default(run, tmp_path):
    found = export(run, format=("symbol", "onnx"), output=tmp_path, with_preprocessing=True)
    assert [str(one.target) for one in found] == ["symbol-float32", "onnx-float32"]
    assert [one.path.name for one in found] == ["run-symbol.json", "run.onnx"]
    assert listing(tmp_path) == ["run-0000.params", "run-card.json", "run-symbol.json", "run.onnx"]
    assert all(one.agreement.good and one.agreement.images == 256 for one in found)
    assert all(one.card["preprocess"] for one in found)
    (unchecked,) = export(run, output=tmp_path, no_check=True)
    assert unchecked.agreement is None


def test_bundles_where_asked_for(run, tmp_path):
    (one,) = export(str(run), format="onnx", layout="folders", output=str(tmp_path))
    assert one.path == tmp_path / "onnx-float32"
    assert listing(one.path) == ["card.json", "example.py", "run.onnx"]
    assert one.accuracy == one.card["accuracy"]
    assert one.accuracy["images"] == 359
    found = export(run, format="onnx", max_drop=100.0, output=tmp_path, repository="triton")
    assert found.repositories == [tmp_path / "repository-triton"]
    assert not found.speeds


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "zip"}, "option layout takes files or folders, got 'zip'"),
        ({"layout": "files", "dynamic": True}, "option layout files is for float32 symbol and ONNX files of a run"),
        ({"layout": "folders", "no_check": True}, "always checked: leave option no_check out"),
        ({"format": "tflite"}, "unknown format 'tflite'"),
        ({"precision": "int4"}, "unknown precision 'int4'"),
        ({"format": "onnx", "repository": "torchserve"}, "option repository takes ovms or triton, got 'torchserve'"),
        ({"precision": "int8", "calibration": "median"}, "option calibration takes naive or entropy, got 'median'"),
        ({"layout": "folders", "batch_size": 3}, "option batch_size goes with option for_speed"),
    ],
)
def test_wrong_options(run, tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        export(run, output=tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()
