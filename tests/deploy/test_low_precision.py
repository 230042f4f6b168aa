"""Short networks of most families in bfloat16 and int8: logits stay near the network's, and so does the accuracy."""

import re

import mxnet as mx
import numpy as np
import pytest
from networks import digits, network, settle

import gluon_attn
from gluon_attn.deploy import export, predictor, targets, write
from gluon_attn.deploy.load_run import load_run
from gluon_attn.deploy.verify import ExportChecks

pytest.importorskip("openvino")
pytest.importorskip("onnxruntime")
pytest.importorskip("nncf")

_SHORT = {"blocks": [1, 1, 1, 1], "widths": [16, 32, 64, 128], "input_size": 64}
#: model -> options that make it short
NETWORKS = {
    "mobilenet_v3_small": {"multiplier": 0.25, "input_size": 64},
    "efficientnet_b0": {"width": 0.25, "depth": 0.25, "input_size": 64},
    "mixnet_s": {"multiplier": 0.25, "input_size": 64},
    "regnety_400mf": {**_SHORT, "group_width": 8},
    "resnext50_32x4d": {**_SHORT, "groups": 8},
    "resnest14": _SHORT,
    "skresnet18": _SHORT,
    "sknet50": {**_SHORT, "groups": 8},
    "epsanet50": {**_SHORT, "widths": [64, 64, 64, 64]},
    "cotnet50": _SHORT,
    "botnet26t": {"widths": [16, 32, 64, 128], "input_size": 64},
    "halonet26t": {"widths": [16, 32, 64, 128], "input_size": 64},
    "lambda_resnet26t": {"widths": [16, 32, 64, 128], "input_size": 64},
    "gcresnext26ts": {**_SHORT, "group_size": 8},
    "bat_resnext26ts": {**_SHORT, "group_size": 8},
}
ATTEND = {"halonet26t", "lambda_resnet26t"}
QUICK = {"mobilenet_v3_small", "resnext50_32x4d"}
#: The root of the mean square of the error, relative to the logits' spread over images and classes, that bfloat16 may
#: have. Logits that have nothing to do with the network's are at 1 and beyond; 0.01 to 0.1 was seen, from 10 to 50
#: layers with random weights, each of which rounds by up to 2^-9.
BFLOAT16 = {"usual": 0.15, "bat_resnext26ts": 0.6}  # BAT magnifies them, in both engines alike
#: The same of int8, and how many times bfloat16's it may be, which says how much a network magnifies errors. An error
#: of int8 is evenly spread up to 2^-8 of the largest value in a map, one of bfloat16 up to 2^-9 of the value itself:
#: with a largest value of 3 to 5 times the spread, and maps that are rounded twice, up to 16 times as much.
INT8, TIMES = 0.8, 16


def models():
    for name in NETWORKS:
        yield pytest.param(name, marks=() if name in QUICK else (pytest.mark.slow,))


def soft(net, images):
    """Make scores of positions small, as training does: with random ones a softmax takes one position, in jumps."""
    scores = re.compile(r".*(query|qkv)\.weight|.*\.(rows|columns)")
    for name, parameter in net._collect_params_with_prefix().items():
        if scores.fullmatch(name):
            parameter.set_data(0.25 * parameter.data())
    settle(net, mx.nd.array(images))


@pytest.mark.parametrize("name", models())
def test_logits_stay_near_the_networks(tmp_path, name):
    net, card = network(name, **NETWORKS[name])
    images = export.random_images(card, 24)
    if name in ATTEND:
        soft(net, predictor.graph_inputs(card, images))
    expected = predictor.of_network(net, card).predict(images)
    inputs = predictor.graph_inputs(card, images)
    for kind in ("symbol", "openvino"):
        errors = {}
        for precision in ("bfloat16", "int8"):
            target = targets.ExportTarget(kind, precision)
            path = write.write_optimized(target, net, card, tmp_path / str(target), inputs)
            found = predictor.load(path).predict(images)
            errors[precision] = np.sqrt(((found - expected) ** 2).mean()) / expected.std()
        assert 1e-4 < errors["bfloat16"] <= BFLOAT16.get(name, BFLOAT16["usual"]), kind  # below, nothing was rounded
        assert 1e-4 < errors["int8"] <= min(INT8, TIMES * errors["bfloat16"]), kind


@pytest.mark.slow
def test_int8_keeps_the_accuracy(tmp_path):
    """Of a trained network with hard swish, depthwise convolutions and gates."""
    options = {"multiplier": 0.5, "drop_rate": 0.0, "epsilon": 1e-5}  # whose statistics follow soon
    gluon_attn.train(
        model="mobilenet_v3_small", model_options=options, dataset="digits", batch_size=32, num_epochs=12,
        optimizer="adam", lr=0.003, lr_mode="cosine", warmup_epochs=1, seed=1, run_dir=str(tmp_path / "run"),
    )  # fmt: skip
    net, card = load_run(tmp_path / "run")
    source = digits()
    checks = ExportChecks(test=source.val, dataset="digits", calibration=source.train.images[:128], max_drop=0.02)
    int8 = [targets.ExportTarget(kind, "int8") for kind in ("symbol", "openvino")]
    for one in export.export_network(net, card, "net", int8, tmp_path / "bundles", checks=checks):
        assert one.accuracy["before"] >= 0.9
        assert one.accuracy["after"] >= one.accuracy["before"] - 0.02
