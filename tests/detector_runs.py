"""Run folders of small detectors whose weights find something, images for them, and when their detections agree."""

import json

import cv2
import mxnet as mx
import numpy as np

import gluon_attn
from gluon_attn.config.card import Card
from gluon_attn.detect.inference import InferenceOptions
from gluon_attn.detect.proposals import ProposalOptions
from gluon_attn.runs.detector import of_network

SMALL = {"widths": (8, 8, 16, 16), "fpn_channels": 8, "box_width": 16, "anchor_sizes": (8, 16, 32, 64, 96)}
#: name -> detector, options
NETWORKS = {
    "mask": ("mask_rcnn_fpn_resnet18_v1b", {"attention": "eca", "mask_widths": (8,)}),
    "faster": ("faster_rcnn_fpn_resnet18_v1b", {"attention": "cbam"}),
    "aligned": (
        "mask_rcnn_fpn_resnet18_v1b",
        {"mask_widths": (8,), "roi_aligned": True, "roi_sampling": 0, "anchors_rounded": False},
    ),
}
#: targets of their exports
FLOAT32 = [f"{kind}-float32" for kind in ("symbol", "onnx", "openvino")]


def write_run(folder, kind, score=0.05, square=False):
    """The run folder of a detector whose weights find something."""
    name, options = NETWORKS[kind]
    net = gluon_attn.get_model(name, 3, **SMALL, **options)
    net.initialize(mx.init.MSRAPrelu())
    random = np.random.default_rng(1)
    for key, parameter in net.collect_params().items():
        if key.endswith(("running_var", "gamma")):
            parameter.set_data(mx.nd.array(random.uniform(0.5, 1.5, parameter.shape)))
        elif "cls_score" in key or "rpn" in key:  # distinct scores: no choice hangs on the last digit
            parameter.set_data(mx.nd.array(random.normal(0, 0.3, parameter.shape)))
        elif "bbox_pred" in key:
            parameter.set_data(mx.nd.array(random.normal(0, 0.05, parameter.shape)))
    canvas = [64, 64] if square else [64, 96]
    inference = InferenceOptions(ProposalOptions(60, 30), score=score, most=12)
    about = {
        "canvases": [canvas, canvas[::-1]], "shorter": 64, "longer": canvas[1], "category_ids": [2, 5, 9],
        "inference": json.loads(json.dumps(inference, default=lambda one: one.__dict__)),
    }  # fmt: skip
    card = Card(
        **net.recipe, dataset="", class_names=("ant", "bee", "cat"), input_shape=(3, *canvas), detection=about,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    of_network(net, card).detect([images()[0]])  # so that all shapes are known
    gluon_attn.save_params(net, folder / "best.params")
    (folder / "card.json").write_text(json.dumps(card.to_dict()))
    (folder / "config.yaml").write_text("# options of detect\ndata:\n  data_dir: /nowhere/at/all\n  dataset: coco\n")
    return folder


def images():
    """Smooth images: landscape, portrait, one that is only padded, and one that is much larger."""
    random = np.random.default_rng(0)
    sizes = [(50, 70), (90, 60), (64, 80), (200, 330)]
    blobs = [random.integers(0, 256, (6, 8, 3), dtype=np.uint8) for _ in sizes]
    return [
        cv2.resize(blob, size[::-1], interpolation=cv2.INTER_CUBIC) for blob, size in zip(blobs, sizes, strict=True)
    ]


def same(found, wanted):
    """The detections of two detectors: corners to a thousandth of a pixel, scores to 1e-5."""
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert one.labels.tolist() == other.labels.tolist()
        np.testing.assert_allclose(one.boxes, other.boxes, atol=1e-3)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
        assert (one.masks is None) == (other.masks is None)
        if one.masks is not None:
            np.testing.assert_allclose(one.masks, other.masks, atol=1e-4)
