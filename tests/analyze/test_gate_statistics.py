import mxnet as mx
import numpy as np
import pytest
from networks import network

from gluon_attn import get_model
from gluon_attn.analyze.gate_statistics import Moments, Site, Sites, SiteStatistics
from gluon_attn.nn.recording import recording


def sites_of(net, size=32):
    """(site, shape of the values per image) of each gate of one pass."""
    sites, found = Sites(net), []
    with recording(net, lambda gate: found.append((sites.of(gate), gate.per_image().shape))):
        net(mx.nd.random.normal(shape=(2, 3, size, size)))
    return found


@pytest.fixture
def vectors(rng):
    """(vectors, labels) whose mean depends on the class."""
    labels = rng.integers(0, 4, 90)
    return rng.normal(0.5, 0.1, (90, 7)) + 0.1 * labels[:, None], labels


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def moments(vectors, labels, batch=40):
    found = Moments()
    for first in range(0, len(labels), batch):
        found.add(vectors[first : first + batch], labels[first : first + batch])
    return found


def test_moments_are_numpys(vectors):
    values, labels = vectors
    found = moments(values, labels)
    np.testing.assert_allclose(found.mean, values.mean(0))
    np.testing.assert_allclose(found.std, values.std(0))
    assert found.counts == {label: int((labels == label).sum()) for label in range(4)}
    for label in range(4):
        mean, std = found.of_class(label)
        np.testing.assert_allclose(mean, values[labels == label].mean(0))
        np.testing.assert_allclose(std, values[labels == label].std(0))


def test_class_share_is_epsilon_squared(vectors):
    values, labels = vectors
    within = sum(((values[labels == k] - values[labels == k].mean(0)) ** 2).sum() for k in range(4))
    total = ((values - values.mean(0)) ** 2).sum()
    wanted = (total - within - 3 * within / 86) / total  # Kelley 1935, over all entries
    assert moments(values, labels).class_share() == pytest.approx(wanted)


def test_class_share_at_its_ends(rng):
    labels = np.arange(60) % 3
    assert moments(labels[:, None] * np.ones((1, 5)), labels).class_share() == pytest.approx(1)
    shares = [moments(rng.normal(size=(60, 5)), labels).class_share() for _ in range(20)]
    assert np.mean(shares) < 0.03  # nothing but noise
    assert moments(np.full((60, 5), 0.5), labels).class_share() is None
    assert moments(rng.normal(size=(60, 5)), np.zeros(60, int)).class_share() is None
    assert moments(rng.normal(size=(3, 5)), np.arange(3)).class_share() is None


def test_places_in_a_residual_network():
    net, _ = network(attention="cbam")
    found = sites_of(net)
    assert [site.kind for site, _ in found] == ["channel", "spatial"] * 9
    assert found[0] == (Site("features.2.0.post", 0, "channel", "stage 1", "block 1, post"), (2, 16, 1, 1))
    assert found[-1] == (Site("features.4.2.post", 1, "spatial", "stage 3", "block 3, post"), (2, 1, 8, 8))
    assert found[-1][0].title == "stage 3, block 3, post"


@pytest.mark.parametrize(
    ("name", "options", "size", "place"),
    [
        ("cifar_resnet20_v1", {"attention": "bam"}, 32, ("stage 1", "after the blocks")),
        ("cifar_resnet20_v2", {"attention": "cha_atac"}, 32, ("8x8 maps", "features.6")),
        ("resnet18_v1b", {"attention": "se"}, 32, ("stage 4", "block 2, post")),
        ("resnet18_v1b", {"attention": "sk"}, 32, ("stage 1", "block 1, conv2, gate 2")),
        ("mobilenet_v2", {"attention": "eca"}, 32, ("16x16 maps", "features.1.post")),
        ("att_darts_cifar", {"channels": 4, "layers": 3}, 32, ("32x32 maps", "cells.0.second.1")),
    ],
)
def test_places_in_other_networks(name, options, size, place):
    net = get_model(name, 10, input_size=size, **options)
    net.initialize()
    found = sites_of(net, size)
    assert place in {(site.stage, site.name) for site, _ in found}
    assert len({(site.path, site.number) for site, _ in found}) == len(found)
    assert len({(site.title, site.kind) for site, _ in found}) == len(found)


def test_statistics_of_each_kind(rng):
    values, labels = rng.uniform(size=(6, 4, 3, 2)).astype(np.float32), np.array([0, 1, 0, 1, 0, 1])
    means = {"channel": values.mean((2, 3), keepdims=True), "spatial": values.mean(1, keepdims=True)}
    for kind in ("channel", "spatial", "element"):
        one = SiteStatistics(Site("a.b", 0, kind, "stage 1", "block 1"), (3, 2))
        one.add(means.get(kind, values), labels)
        assert one.level.mean[0] == pytest.approx(values.mean(), rel=1e-5)
        assert one.level.std[0] == pytest.approx(values.mean((1, 2, 3)).std(), rel=1e-3)
        if kind != "spatial":
            np.testing.assert_allclose(one.channels.of_class(1)[0], values[1::2].mean((0, 2, 3)), rtol=1e-5)
        if kind != "channel":
            np.testing.assert_allclose(one.pixels.of_class(0)[0], values[::2].mean((0, 1)).ravel(), rtol=1e-5)
        plain = one.to_dict(("cat", "dog"), [1])
        cat, level = plain["classes"]["cat"], values[::2].mean((1, 2, 3))
        assert (cat["images"], cat["mean"]) == (3, pytest.approx(level.mean(), rel=1e-5))
        assert cat["std"] == pytest.approx(level.std(), rel=1e-3)
        assert "factors" not in cat
        assert len(plain["classes"]["dog"]["factors"]) == (6 if kind == "spatial" else 4)
        assert (plain["path"], plain["kind"], plain["map"]) == ("a.b", kind, (3, 2))
