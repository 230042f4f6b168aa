"""What is refused, and that nothing is left then."""

import dataclasses

import numpy as np
import pytest
from networks import network

from gluon_attn import Plan
from gluon_attn.data.base import ArraySet
from gluon_attn.deploy import check, export, predictor, targets, write
from gluon_attn.deploy.verify import ExportChecks
from gluon_attn.utils.errors import UserError

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")
pytest.importorskip("nncf")


def test_raw_images_of_any_size(trained, tmp_path):
    net, card, test = trained
    wanted = [targets.ExportTarget(kind) for kind in targets.FORMATS]
    found = export.export_network(net, card.replace(preprocess=True, dynamic=True), "net", wanted, tmp_path)
    larger = test.images[:3].repeat(2, axis=1)
    free = predictor.Predictor("run", card.replace(dynamic=True), predictor.of_network(net, card).forward)
    for one in found:
        assert one.card["input"] == {"name": "data", "shape": [None, None, None, 3], "dtype": "uint8"}
        assert one.card["accuracy"] is None
        logits, expected = predictor.load(one.path).predict(larger), free.predict(larger)
        assert abs(logits - expected).max() <= 1e-4 * abs(expected).max()


def test_what_is_refused_leaves_nothing(trained, tmp_path, monkeypatch):
    net, card, _ = trained
    target = targets.ExportTarget("onnx")
    with pytest.raises(UserError, match="int8 is calibrated with images: name a data set"):
        export.export_network(net, card, "net", [target, targets.ExportTarget("symbol", "int8")], tmp_path)
    with pytest.raises(UserError, match="there is no onnx-bfloat16: ONNX Runtime computes no bfloat16"):
        targets.ExportTarget("onnx", "bfloat16")
    sized, its_card = network(plan=Plan([{"name": "bot", "slot": "conv", "scheme": "100000000"}]), input_size=32)
    with pytest.raises(UserError, match="this network takes one size of images only: leave option dynamic out"):
        export.export_network(sized, its_card.replace(dynamic=True), "net", [target], tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_target_that_lost_its_accuracy_is_refused(trained, tmp_path, monkeypatch):
    net, card, test = trained
    wanted = [targets.ExportTarget("onnx"), targets.ExportTarget("onnx", "float16")]
    logits = predictor.of_network(net, card).predict(test.images)
    labels = logits.argmax(axis=1).astype(np.int32)
    chosen = labels != 0
    checks = ExportChecks(test=ArraySet(test.images[chosen], labels[chosen]))

    def damage(onnx, proto):  # class 0 is far ahead of all
        (bias,) = (tensor for tensor in proto.initializer if tensor.name == "dense0_bias")
        value = onnx.numpy_helper.to_array(bias).copy()
        value[0] += 3 * abs(logits).max()
        bias.CopyFrom(onnx.numpy_helper.from_array(value, bias.name))

    monkeypatch.setattr(write.onnx, "_float16_weights", damage)
    with pytest.raises(UserError, match="nothing was exported: onnx-float16 differs from the trained network by"):
        export.export_network(net, card, "net", wanted, tmp_path, checks=checks)
    monkeypatch.setitem(check.ROUNDING, "float16", 10.0)
    with pytest.raises(
        UserError, match=r"onnx-float16 has 0.00% instead of 100.00% on .* above 1.00%; raise option max_drop"
    ):
        export.export_network(net, card, "net", wanted, tmp_path, checks=checks)
    assert not list(tmp_path.iterdir())
    (one,) = export.export_network(
        net, card, "net", wanted[1:], tmp_path, checks=dataclasses.replace(checks, max_drop=1.0)
    )
    assert one.card["accuracy"]["after"] == 0
