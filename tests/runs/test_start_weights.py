"""What a detector starts from: a classifier's file with less attention, under either naming of its layers."""

import mxnet as mx
import numpy as np
import pytest
from networks import network

import gluon_attn
from gluon_attn.config.detect import DetectRunConfig
from gluon_attn.engine.prepare_network import freeze, new_parameters
from gluon_attn.models.added_parts import planned_modules
from gluon_attn.runs.detection_network import make_detector, with_frozen_stages
from gluon_attn.runs.start_weights import apply_attention_start, pretrained_backbone, start_detector
from gluon_attn.utils.errors import UserError

HEADS = {"fpn_channels": 8, "box_width": 16}


def weights(net):
    return {name: param.data().asnumpy() for name, param in net._collect_params_with_prefix().items()}


def detector(model, **options):
    net = gluon_attn.get_model(model, 5, **HEADS, input_size=64, **options)
    net.initialize(mx.init.Normal(0.05))
    return net


@pytest.mark.parametrize(
    ("backbone", "post", "same"),
    [
        ("resnet18_v1b", "layer1.0.post", "layer3.1.conv2.weight"),
        ("resnet18_v1", "features4.0.post", "features6.1.body.3.weight"),
        ("resnet18_v2", "features5.0.post", "features7.1.conv2.weight"),
    ],
)
def test_a_new_attention_in_a_backbone(backbone, post, same, tmp_path, caplog):
    plain, _ = network(backbone, 7, input_size=64)
    gluon_attn.save_params(plain, tmp_path / "plain.params")
    net = detector(f"faster_rcnn_fpn_{backbone}", attention="se")
    before = weights(net)
    took = start_detector(net, str(tmp_path / "plain.params"), 5)
    (said,) = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert f"plain.params has no weights of the attention: body.backbone.{post}" in said
    new = new_parameters(net)
    assert all(".post." in name for name in new)
    assert f"body.backbone.{same}" in pretrained_backbone(net)
    after, names = weights(net), net.body.backbone.classifier_names()
    for own, there in names.items():
        name = f"body.backbone.{own}"
        np.testing.assert_array_equal(after[name], before[name] if name in new else weights(plain)[there])
    apply_attention_start(net, "identity", took, (64, 64), mx.cpu())
    images = mx.nd.random.normal(shape=(1, 3, 64, 64))
    without = detector(f"faster_rcnn_fpn_{backbone}")
    start_detector(without, str(tmp_path / "plain.params"), 5)
    for ours, theirs in zip(net.body.backbone(images), without.body.backbone(images), strict=True):
        np.testing.assert_allclose(
            ours.asnumpy(), theirs.asnumpy(), rtol=0, atol=1e-4 * float(theirs.abs().max().asscalar())
        )


def test_all_else_of_a_backbone_must_fit(tmp_path):
    plain, _ = network("resnet18_v1b", 7, input_size=64)
    gluon_attn.save_params(plain, tmp_path / "plain.params")
    with pytest.raises(UserError, match=r"another network than the detector's backbone: it lacks layer1\.2\.bn1"):
        start_detector(detector("faster_rcnn_fpn_resnet34_v1b", attention="se"), str(tmp_path / "plain.params"), 5)


def test_a_detector_gets_attention_that_its_file_has_not(tmp_path, caplog):
    old = detector("faster_rcnn_fpn_resnet18_v1b")
    gluon_attn.save_params(old, tmp_path / "old.params")
    net = detector("faster_rcnn_fpn_resnet18_v1b", attention="eca")
    start_detector(net, str(tmp_path / "old.params"), 5)
    assert "has no weights of the attention: body.backbone.layer1.0.post, " in caplog.text
    assert all((weights(net)[name] == value).all() for name, value in weights(old).items())


def test_new_attention_is_trained_in_frozen_stages_with_statistics_of_its_own(tmp_path):
    plain, _ = network("resnet18_v1b", 7, input_size=64)
    gluon_attn.save_params(plain, tmp_path / "plain.params")
    options = {
        "model": "faster_rcnn_fpn_resnet18_v1b",
        "attention": "cbam",
        "pretrained": str(tmp_path / "plain.params"),
    }
    heads = {"fpn_channels": 8, "box_width": 16}
    config = DetectRunConfig.from_dict({"model": {**options, "model_options": heads}})

    class Placement:
        class canvases:
            landscape = portrait = (64, 64)

    net = make_detector(config, 5, Placement, [mx.cpu()])
    assert not any(one.norm._kwargs["use_global_stats"] for one in planned_modules(net).values())
    assert net.body.backbone.layer1[0].bn1._kwargs["use_global_stats"]
    found = freeze(net, with_frozen_stages(config, net).optim.freeze)
    assert "body.backbone.layer1.0.conv1.weight" in found
    assert not any(".post." in name for name in found)
