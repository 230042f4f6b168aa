"""Every model of the registry leaves in all three formats and gives the network's logits."""

import mxnet as mx
import numpy as np
import pytest
from networks import network

import gluon_attn
from gluon_attn.data.transforms import normalize
from gluon_attn.deploy import export, predictor, targets, write
from gluon_attn.models.factory import model_info

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")

#: one of each family that is quick; the others are `slow`
QUICK = {
    "atac_cifar_resnet", "cifar_resnet20_a", "cifar_resnet20_v1", "cifar_resnet20_v2", "mobilenet_v3_small",
    "regnety_400mf", "se_cifar_resnet20",
}  # fmt: skip
#: what is shown at full size, and what has weights for each place of its maps
WHOLE = {"resnet50_v1b", "eca_resnet50", "aa_resnet50", "fa_resnet50"}
#: shorter than the published ones, of the same parts
SHORT = {"darts": {"layers": 5, "channels": 8}, "dia_cifar": {"depth": 20}}


def models():
    for name in gluon_attn.list_models():
        marks = () if name in QUICK else (pytest.mark.slow,)
        yield pytest.param(name, marks=marks)


@pytest.mark.parametrize("name", models())
def test_all_formats_agree_with_the_network(tmp_path, name):
    info = model_info(name)
    size = info.input_size if info.input_size == 32 or name in WHOLE else 64
    options = next((options for part, options in SHORT.items() if part in name), {})
    net, card = network(name, 10, **options, input_size=size)
    images = export.random_images(card, 2)
    expected = predictor.of_network(net, card).predict(images)
    scale = abs(expected).max()
    paths = [
        write.write_optimized(
            targets.ExportTarget(kind), net, card, tmp_path / kind, predictor.graph_inputs(card, images)
        )
        for kind in targets.FORMATS
    ]
    allowed = None
    for path in paths:
        difference = abs(predictor.load(path).predict(images) - expected).max() / scale
        if difference > 1e-5:
            allowed = allowed or 5 * rounding(net, card, images, expected)
            assert difference <= allowed, path


def rounding(net, card, images, expected):
    """How far float32 is from float64 in this very network: with random weights some are far beyond 1e-5."""
    net.cast("float64")
    exact = net(mx.nd.array(normalize(images, card.mean, card.std), dtype="float64")).asnumpy()
    return np.abs(expected - exact).max() / np.abs(exact).max()
