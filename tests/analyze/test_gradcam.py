import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn
from networks import network

from gluon_attn import get_model
from gluon_attn.analyze.gradcam import Pooling, grad_cam, last_pooling, weighted_map
from gluon_attn.models.zoo import MODELS


def images(count=3, size=32):
    return mx.nd.random.normal(shape=(count, 3, size, size))


class Deep(mx.gluon.HybridBlock):
    """A head of two layers, so that the gradient depends on the image; the pooling is no block of this package."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.conv = nn.Conv2D(6, 3, strides=2, activation="relu", in_channels=3)
            self.pool = nn.AvgPool2D(15)
            self.hidden, self.out = nn.Dense(5, activation="relu", in_units=6), nn.Dense(4, in_units=5)

    def hybrid_forward(self, F, x):
        return self.out(self.hidden(self.pool(self.conv(x))))


def test_is_the_formula_in_numpy():
    net, x, classes = Deep(), images(), [2, 0, 2]
    net.initialize(mx.init.Normal(1))
    features = net.conv(x).asnumpy().astype(float)
    hidden, out, bias = (p.data().asnumpy() for p in (net.hidden.weight, net.out.weight, net.hidden.bias))
    wanted = []
    for one, number in zip(features, classes, strict=True):
        pooled = one.mean((1, 2))
        active = (hidden @ pooled + bias) > 0
        gradient = hidden.T @ (out[number] * active) / one[0].size  # of each pixel of each channel
        cam = np.maximum((gradient[:, None, None] * one).sum(0), 0)
        wanted.append(cam / cam.max())
    got = grad_cam(net, x, classes, last_pooling(net, x))
    assert got.shape == (3, 15, 15)
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("attention", ["se", "cbam", "cha_atac"])
def test_with_one_dense_layer_it_is_the_class_activation_map(attention):
    """Zhou et al. 2016: there the weights are those of the layer."""
    net, _ = network(attention=attention)
    x = images()
    pooling = last_pooling(net, x)
    assert pooling == Pooling(net.features[-2], 0)
    features = x
    for layer in list(net.features)[:-2]:
        features = layer(features)
    weights = net.output.weight.data().asnumpy()
    for number in (0, 7):
        cam = np.maximum(np.einsum("k,nkhw->nhw", weights[number], features.asnumpy()), 0)
        cam /= cam.max((1, 2), keepdims=True)
        np.testing.assert_allclose(grad_cam(net, x, [number] * 3, pooling), cam, rtol=1e-3, atol=1e-5)


def test_each_image_is_for_itself_and_nothing_stays_behind():
    net, _ = network(attention="eca")
    x = images()
    before = net(x).asnumpy()
    pooling = last_pooling(net, x)
    together = grad_cam(net, x, [1, 2, 3], pooling)
    for number in range(3):
        alone = grad_cam(net, x[number : number + 1], [number + 1], pooling)
        np.testing.assert_allclose(together[number], alone[0], rtol=1e-4, atol=1e-5)
    net.hybridize()
    np.testing.assert_allclose(net(x).asnumpy(), before, rtol=1e-5, atol=1e-5)
    assert not pooling.block._forward_pre_hooks
    assert not net._forward_hooks


def test_nothing_speaks_for_the_class():
    features, gradients = np.ones((1, 2, 3, 3)), np.stack([np.full((2, 3, 3), -1.0)])
    assert (weighted_map(features, gradients) == 0).all()


#: one of each family, small
FAMILIES = {
    "cifar_resnet20_v1": {}, "cifar_resnet20_v2": {}, "cifar_resnet18": {}, "mobilenet_v2": {},
    "resnet18_v1b": {}, "resnet18_v1": {}, "atac_cifar_resnet": {"blocks": 1},
    "att_darts_cifar": {"channels": 4, "layers": 3}, "darts_imagenet": {"genotype": "DARTS_V2", "channels": 4,
    "layers": 3},
}  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_the_pooling_of_every_family_is_found(name):
    size = 64 if MODELS.get(name).input_size > 32 else 32
    net = get_model(name, 10, input_size=size, **FAMILIES[name])
    net.initialize()
    x = images(2, size)
    pooling = last_pooling(net, x)
    assert type(pooling.block).__name__ == "GlobalAvgPool"
    maps = grad_cam(net, x, [0, 1], pooling)
    assert maps.shape[0] == 2
    assert maps.shape[1] > 1 or name == "cifar_resnet18"  # whose last map has one pixel for 32
    assert np.isfinite(maps).all()
    assert maps.max() <= 1


def test_a_network_without_such_a_block():
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, in_channels=3), nn.Flatten(), nn.Dense(2))
    net.initialize()
    assert last_pooling(net, images(1, 8)) is None
