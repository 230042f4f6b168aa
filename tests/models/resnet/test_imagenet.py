"""The ResNets for ImageNet: sizes against formulas and published counts, and what their options do."""

import mxnet as mx
import pytest
from model_checks import num_weights, stages_of
from mxnet.gluon import nn

from gluon_attn import Plan, get_model
from gluon_attn.utils.errors import UserError

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
FOUND = {"sge": "1001011010011011", "dia": "1100011110010011"}
GCA = Plan([{"slot": "inner", "name": "gca"}])
SK = Plan([{"slot": "conv1", "name": "sk", "options": {"groups": 1, "reduction": 8, "narrowest": 16, "split": True}}])


def expected(depth, version, classes):
    """Weights of a network, counted by hand."""
    deep, wide = version == "d", 1 if depth < 50 else 4
    stem = 3 * 32 * 9 + 32 * 32 * 9 + 32 * 64 * 9 + 2 * 2 * 32 if deep else 3 * 64 * 49
    total, width = stem + 2 * 64, 64
    for stage, count in enumerate(BLOCKS[depth]):
        inner = 64 * 2**stage
        for block in range(count):
            out = inner * wide
            if wide == 1:
                total += width * inner * 9 + inner * inner * 9 + 4 * inner
            else:
                total += width * inner + inner * inner * 9 + inner * out + 4 * inner + 2 * out
            if block == 0 and (stage or width != out):
                total += width * out + 2 * out
            width = out
    return total + width * classes + classes


@pytest.mark.parametrize("version", ["b", "d"])
@pytest.mark.parametrize("depth", BLOCKS)
def test_sizes_by_formula(depth, version):
    assert num_weights(get_model(f"resnet{depth}_v1{version}", 100)) == expected(depth, version, 100)


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [  # timm's own counts of ecaresnet26t, ecaresnetlight, seresnet34, skresnet18; gcresnet50t has 16 biases more
        ("resnet50_v1d", {"blocks": [2, 2, 2, 2], "stem": "tiered", "attention": "eca"}, 16_011_916),
        ("resnet50_v1d", {"blocks": [1, 1, 11, 3], "stem": "large", "attention": "eca"}, 30_162_046),
        ("resnet34_v1b", {"attention": {"name": "se", "narrowest": 8}}, 21_960_416),
        ("resnet18_v1b", {"plan": SK}, 11_958_056),
        ("resnet50_v1b", {"stem": "tiered", "stem_pool": False, "plan": GCA}, 25_897_080 - 16),
    ],
)
def test_sizes_of_timms_networks(name, options, count):
    assert num_weights(get_model(name, **options)) == count


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [
        ("fbresnet50", {}, 25583592),
        ("dia_fbresnet50", {}, 28384612), ("dia_fbresnet50", {"scheme": FOUND["dia"]}, 28384612),
        ("se_fbresnet50", {}, 26283992),
        ("sge_fbresnet50", {"scheme": FOUND["sge"]}, 25584104),
        ("sge_fbresnet50", {"scheme": "0" * 16}, 25583592),
    ],
)  # fmt: skip
def test_sizes_that_eans_code_counts(name, options, count):
    assert num_weights(get_model(name, 1000, **options)) == count


def test_the_cifar_network_is_the_large_one_at_32_pixels():
    """As the ECA reproduction trains it: the 7x7 stem and its pooling stay."""
    small, large = get_model("cifar_resnet18", 10), get_model("resnet18_v1b", 10)
    assert repr(small) == repr(large)
    small.initialize()
    assert small.layer4(small.layer3(mx.nd.ones((1, 128, 4, 4)))).shape == (1, 512, 1, 1)


@pytest.mark.parametrize(
    ("options", "attentional"),
    [
        ({}, "..AA"),
        ({"act_layers": 4}, "AAAA"),
        ({"act_layers": 1}, "...A"),
        ({"act_layers": 1, "act_order": "pre"}, "A..."),
        ({"act_layers": 0}, "...."),
    ],
)
def test_atac_stages(options, attentional):
    """relu1 and relu2 of a bottleneck."""
    net = get_model("atac_resnet50_v1b", 10, **options)
    for stage, letter in zip(stages_of(net), attentional, strict=True):
        kinds = {type(act).__name__ for block in stage for act in (block.relu1, block.relu2)}
        assert kinds == {"ChaATAC" if letter == "A" else "Activation"}


def test_atac_options():
    block = get_model("atac_resnet50_v1b", 10, reduction=4, relu=False, global_pool=True).layer4[0]
    assert block.relu1.mlp[0].weight.shape == (128, 512, 1, 1)
    assert (len(block.relu1.mlp), block.relu1._global_pool) == (4, True)
    block = get_model("atac_resnet50_v1b", 10, act_type="prelu", last_gamma=True, drop_rate=0.1).layer4[0]
    assert isinstance(block.relu2, nn.PReLU)


@pytest.mark.parametrize("scheme", [FOUND["dia"], "0" * 8 + "1" * 8])
def test_a_scheme_says_which_blocks_are_connected(scheme):
    posts = [block.post for stage in stages_of(get_model("dia_fbresnet50", 10, scheme=scheme)) for block in stage]
    assert "".join("0" if post is None else "1" for post in posts) == scheme
    for first, last in ((0, 3), (3, 7), (7, 13), (13, 16)):
        assert len({id(post) for post in posts[first:last] if post}) == int("1" in scheme[first:last])


def test_options_of_eans_networks_reach_the_attention():
    assert get_model("dia_fbresnet50", 10).layer1[0].post.cell.w_ih[0][0].weight.shape == (12, 256)
    assert get_model("dia_fbresnet50", 10, reduction=4).layer1[0].post.cell.w_ih[0][0].weight.shape == (64, 256)
    assert get_model("se_fbresnet50", 10, reduction=4).layer1[0].post.mlp[0].weight.shape == (64, 256, 1, 1)
    assert [get_model("sge_fbresnet50", variant=v).layer1[0].post._unbiased for v in ("paper", "reference")] == [0, 1]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("atac_resnet50_v1b", {"act_layers": 5}, "act_layers must be from 0 to 4 in this network, got 5"),
        ("dia_fbresnet50", {"scheme": "111"}, "dia: the scheme has 3 bits, the network 16 blocks"),
        ("dia_fbresnet50", {"scheme": "2" * 16}, "must be zeros and ones"),
        ("dia_fbresnet50", {"attention": "se"}, "model 'dia_fbresnet50' has its attention in its name"),
        ("dia_fbresnet50", {"reduction": 0}, "reduction must be a whole number above 0, got 0"),
        ("sge_fbresnet50", {"variant": "code"}, "variant must be paper or reference, got 'code'"),
        ("fbresnet50", {"input_size": 0}, "input_size must be a whole number above 0, got 0"),
        ("fbresnet50", {"last_gamma": 1}, "last_gamma must be true or false, got 1"),
        ("fbresnet50", {"scheme": "1" * 16}, "model 'fbresnet50' has no option 'scheme'"),
    ],
)
def test_refused(name, options, words):
    with pytest.raises(UserError) as caught:
        get_model(name, 10, **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
