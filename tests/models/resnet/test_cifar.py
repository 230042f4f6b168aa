"""The ResNets for CIFAR: sizes against formulas and published counts, and what their options do."""

import numpy as np
import pytest
from model_checks import num_weights, stages_of

from gluon_attn import get_model
from gluon_attn.utils.errors import UserError

DEPTHS = {20: 3, 32: 5, 44: 7, 56: 9, 110: 18, 164: 18}


def norm(channels):
    return 2 * channels


def se(channels):
    hidden = max(1, channels // 16)
    return channels * hidden + hidden + hidden * channels + channels


def eca(channels):
    return {16: 3, 32: 3, 64: 3, 128: 5, 256: 5}[channels]


def cbam(channels):
    return se(channels) + 2 * 7 * 7 + norm(1)


def cha_atac(channels):
    hidden = channels // 2
    return 2 * channels * hidden + norm(hidden) + norm(channels)


def none(channels):
    return 0


def expected(depth, version, classes, post=none, act=none):
    """Weights of a network, counted by hand: `post` ends each residual branch, `act` is each activation inside."""
    wide = 4 if depth == 164 else 1
    total, width = 3 * 16 * 9 + (norm(16) if version == 1 else 0), 16
    for channels in (16 * wide, 32 * wide, 64 * wide):
        for block in range(DEPTHS[depth]):
            inner = channels // wide
            convolutions = [(width, inner, 1), (inner, inner, 9), (inner, channels, 1)]
            if wide == 1:
                convolutions = [(width, channels, 9), (channels, channels, 9)]
            for i, (before, after, taps) in enumerate(convolutions):
                total += before * after * taps + norm(after if version == 1 else before)
                if version == 2:
                    total += act(before)
                elif i < len(convolutions) - 1:
                    total += act(after)
            if block == 0 and (width != channels or channels > 16 * wide):
                total += width * channels + (norm(channels) if version == 1 else 0)
            total += post(channels)
            width = channels
    if version == 2:
        total += norm(width) + act(width)
    return total + width * classes + classes


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("cifar_resnet20_v1", 272474), ("cifar_resnet56_v1", 855770), ("cifar_resnet110_v1", 1730714),
        ("cifar_resnet164_v1", 1704154), ("cifar_resnet164_v2", 1703258),
    ],
)  # fmt: skip
def test_published_sizes(name, count):
    assert num_weights(get_model(name, 10)) == count


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("depth", DEPTHS)
def test_sizes_by_formula(depth, version):
    assert num_weights(get_model(f"cifar_resnet{depth}_v{version}", 100)) == expected(depth, version, 100)


@pytest.mark.parametrize("name", ["cifar_resnet20_v1", "cifar_resnet20_v2", "cifar_resnet164_v1", "cifar_resnet164_v2"])
@pytest.mark.parametrize(
    ("attention", "slots"),
    [("se", {"post": se}), ("eca", {"post": eca}), ("cbam", {"post": cbam}), ("cha_atac", {"act": cha_atac})],
)
def test_sizes_with_attention(name, attention, slots):
    depth, version = int(name[12:-3]), int(name[-1])
    assert num_weights(get_model(name, 10, attention=attention)) == expected(depth, version, 10, **slots)


@pytest.mark.parametrize(("blocks", "count"), [(1, 95428), (2, 204068), (3, 312708), (4, 421348), (5, 529988)])
def test_sizes_of_the_atac_networks(blocks, count):
    assert num_weights(get_model("atac", 100, blocks=blocks, reduction=2)) == count


@pytest.mark.parametrize(
    ("name", "classes", "options", "count"),
    [
        ("se_cifar_resnet20", 10, {}, 304730), ("se_cifar_resnet32", 10, {}, 520666),
        ("se_cifar_resnet56", 10, {}, 952538), ("se_cifar_resnet110", 10, {}, 1924250),
        ("anas_resnet20", 10, {}, 416972), ("anas_resnet32", 10, {}, 707736), ("anas_resnet44", 10, {}, 998500),
        ("anas_resnet56", 10, {}, 1289264), ("anas_resnet110", 10, {}, 2597702),
        ("dia_cifar_resnet", 100, {}, 1946132),
        ("dia_cifar_resnet", 10, {"depth": 20}, 439226),
        ("cifar_resnet20_a", 10, {"attention": "eca"}, 269749), ("cifar_resnet56_a", 10, {"attention": "eca"}, 853099),
        ("cifar_resnet20_a", 10, {"attention": "se"}, 272095), ("cifar_resnet56_a", 10, {"attention": "se"}, 860137),
        ("cifar_resnet20_a", 10, {"attention": {"name": "triplet", "bias": True}}, 272449),
        ("cifar_resnet20_b", 10, {}, 272474),
    ],
)  # fmt: skip
def test_sizes_that_the_published_code_counts(name, classes, options, count):
    assert num_weights(get_model(name, classes, **options)) == count


def activations(net):
    """The kinds of activation in each stage and in the head, as sets of class names."""
    found = []
    for stage in stages_of(net):
        blocks = [[block.act1, block.act2] for block in stage]
        found.append({type(act).__name__ for acts in blocks for act in acts})
    return [*found, {type(net.features[6]).__name__}]


@pytest.mark.parametrize(
    ("options", "places"),
    [
        ({}, "AAAA"),
        ({"act_layers": 0}, "rrrr"),
        ({"act_layers": 1}, "rrrA"),
        ({"act_layers": 2}, "rrAA"),
        ({"act_layers": 3, "act_order": "bac"}, "rAAA"),
        ({"act_layers": 4, "act_order": "pre"}, "AAAA"),
        ({"act_layers": 1, "act_order": "pre"}, "Arrr"),
        ({"act_layers": 2, "act_order": "pre"}, "AArr"),
    ],
)
def test_act_layers_and_act_order(options, places):
    kinds = {"A": {"ChaATAC"}, "r": {"Activation"}}
    assert activations(get_model("atac", 10, blocks=2, **options)) == [kinds[letter] for letter in places]


def test_other_activations_in_the_atac_network():
    assert activations(get_model("atac", 10, act_type="prelu", act_layers=2))[1:3] == [{"Activation"}, {"PReLU"}]


def test_options_reach_the_attention():
    assert get_model("se_cifar_resnet20", 10, reduction=4).layer1[0].post.mlp[0].weight.shape == (4, 16, 1, 1)
    assert get_model("dia_cifar_resnet", 10, depth=20, reduction=8).layer1[0].post.cell.w_ih[0][0].weight.shape[0] == 8
    cell = get_model("anas_resnet20", genotype={"att": [["skip_connect", 0], ["none", 1]]}).layer1[0].post
    assert sum(int(np.prod(p.shape)) for p in cell.collect_params().values()) == 0
    assert type(get_model("dia_cifar_resnet", depth=14, block="basic").layer1[1].relu1).__name__ == "Activation"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"depth": 58}, "depth of bottleneck blocks must be 9 n + 2, such as 29, got 58"),
        ({"depth": 2}, "depth of bottleneck blocks must be 9 n + 2, such as 29, got 2"),
        ({"depth": 29, "block": "basic"}, "depth of basic blocks must be 6 n + 2, such as 20"),
        ({"block": "wide"}, "block must be basic or bottleneck, got 'wide'"),
    ],
)
def test_refused(options, words):
    with pytest.raises(UserError) as caught:
        get_model("dia_cifar_resnet", 10, **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
