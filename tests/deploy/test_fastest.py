import os

import pytest

from gluon_attn.deploy import fastest, targets
from gluon_attn.deploy.bench import Speed
from gluon_attn.deploy.verify import ExportChecks

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")
pytest.importorskip("nncf")


def test_the_fastest_of_equal_accuracy(trained, tmp_path, monkeypatch, caplog):
    net, card, test = trained
    rates = {"onnx-float32": 5.0, "symbol-float32": 7.0, "onnx-float16": 9.0}

    def measure(target, batch, threads):
        rate = rates[os.path.basename(target)]
        return Speed(str(target), "x", "x", batch, threads, 1, 1, 1, rate)

    monkeypatch.setattr(fastest, "measure", measure)
    wanted = [targets.ExportTarget("onnx"), targets.ExportTarget("symbol"), targets.ExportTarget("onnx", "float16")]
    checks = ExportChecks(test=test, dataset="digits", max_drop=1.0)
    best, speeds = fastest.export_fastest(net, card, "net", wanted, tmp_path / "a", checks=checks)
    assert (str(best.target), best.path) == ("onnx-float16", tmp_path / "a" / "onnx-float16")
    assert [one.target for one in speeds] == list(map(str, wanted))
    assert [item.name for item in (tmp_path / "a").iterdir()] == ["onnx-float16"]
    best, _ = fastest.export_fastest(net, card, "net", wanted, tmp_path / "b", ExportChecks())
    assert str(best.target) == "symbol-float32"
    assert "without test images only float32" in caplog.text
