import json

import pytest

from gluon_attn.deploy import predictor, repository
from gluon_attn.utils.errors import UserError

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")
pytest.importorskip("nncf")


def test_repositories_have_the_layout_that_servers_read(bundles, tmp_path):
    chosen = [bundles[name] for name in ("symbol-float32", "onnx-float32", "openvino-bfloat16")]
    for server in repository.SERVERS:
        repository.write_repository(chosen, "net", server, tmp_path / server)
    files = {
        server: sorted(str(f.relative_to(tmp_path / server)) for f in (tmp_path / server).rglob("*") if f.is_file())
        for server in repository.SERVERS
    }
    models = [
        "net_onnx_float32/1/model.onnx", "net_openvino_bfloat16/1/model.bin", "net_openvino_bfloat16/1/model.xml",
    ]  # fmt: skip
    assert files["ovms"] == sorted(["config.json", *models])
    assert files["triton"] == sorted([*models, "net_onnx_float32/config.pbtxt", "net_openvino_bfloat16/config.pbtxt"])
    served = json.loads((tmp_path / "ovms/config.json").read_text())["model_config_list"]
    assert served[1]["config"] == {
        "name": "net_openvino_bfloat16", "base_path": "/models/net_openvino_bfloat16",
        "plugin_config": {"INFERENCE_PRECISION_HINT": "bf16"},
    }  # fmt: skip
    text = (tmp_path / "triton/net_onnx_float32/config.pbtxt").read_text()
    assert 'name: "net_onnx_float32"\nbackend: "onnxruntime"' in text
    assert 'input [ { name: "data" data_type: TYPE_FP32 dims: [3, 32, 32] } ]' in text
    assert 'output [ { name: "logits" data_type: TYPE_FP32 dims: [10] } ]' in text
    assert predictor.load(tmp_path / "triton/net_openvino_bfloat16/1/model.xml").card.classes == 10
    with pytest.raises(UserError, match="takes ONNX and OpenVINO"):
        repository.write_repository(chosen[:1], "net", "triton", tmp_path / "none")
