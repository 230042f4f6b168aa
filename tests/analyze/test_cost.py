import math

import mxnet as mx
import pytest
from mxnet.gluon import nn

import gluon_attn
from gluon_attn.analyze.cost import cost
from gluon_attn.analyze.graph import GraphNode, check_input
from gluon_attn.analyze.paper_figures import published
from gluon_attn.analyze.rules import RULES, work
from gluon_attn.nn.fast import plain_operators
from gluon_attn.utils.errors import UserError


def by_hand(depth, classes=10):
    """(parameters, MACs) of a version 1 CIFAR ResNet of basic blocks, projections where the width changes."""
    blocks = (depth - 2) // 6
    params, macs = 3 * 16 * 9 + 2 * 16, 3 * 16 * 9 * 32 * 32
    width = 16
    for channels, size in ((16, 32), (32, 16), (64, 8)):
        for block in range(blocks):
            first = 9 * (width if block == 0 else channels) * channels
            second = 9 * channels * channels
            projection = width * channels if block == 0 and width != channels else 0
            params += first + second + projection + 2 * channels * (3 if projection else 2)
            macs += (first + second + projection) * size * size
        width = channels
    return params + 64 * classes + classes, macs + 64 * classes


@pytest.mark.parametrize(("depth", "millions"), [(20, "0.27"), (56, "0.85"), (110, "1.7")])
def test_cifar_resnets_match_the_paper(depth, millions):
    found = cost(gluon_attn.get_model(f"cifar_resnet{depth}_v1", 10))
    assert (found.params, found.macs) == by_hand(depth)
    figures = published(gluon_attn.get_model(f"cifar_resnet{depth}_v1", 10).recipe)
    assert figures.printed == f"{millions} M"
    # the paper's figures are cut, not rounded: 0.8557 is printed as 0.85
    assert abs(found.params / 1e6 - float(millions)) < (0.01 if depth < 100 else 0.1)


@pytest.mark.parametrize(
    ("blocks", "parameters", "trainable", "statistics", "convolutions"),
    [
        (1, 95434, 95428, 1206, 14336000),
        (2, 204074, 204068, 2326, 30064640),
        (3, 312714, 312708, 3446, 45793280),
        (4, 421354, 421348, 4566, 61521920),
        (5, 529994, 529988, 5686, 77250560),
    ],
)
def test_atac_networks_match_the_reference(blocks, parameters, trainable, statistics, convolutions):
    """The reference's own summary: it counts the input norm's 6 untrained scales and shifts as parameters."""
    found = cost(gluon_attn.get_model("atac_cifar_resnet", 100, blocks=blocks, reduction=2))
    assert (found.params, found.fixed, found.statistics) == (trainable, parameters - trainable, statistics)
    assert found.macs == convolutions + 6400


def mlp(channels, hidden):
    return 2 * channels * hidden + channels + hidden


@pytest.mark.parametrize(
    ("attention", "params", "macs"),
    [
        ("identity", [0, 0, 0], [0, 0, 0]),
        ("se", [mlp(16, 1), mlp(32, 2), mlp(64, 4)], [2 * 16, 4 * 32, 8 * 64]),
        ("eca", [3, 3, 3], [48, 96, 192]),
        (
            "cbam",
            [mlp(c, c // 16) + 2 * 49 + 2 for c in (16, 32, 64)],
            [2 * 2 * c * (c // 16) + 2 * 49 * s * s for c, s in ((16, 32), (32, 16), (64, 8))],
        ),
        (
            "cha_atac",
            [c * c + 2 * (c + c // 2) for c in (16, 32, 64)],
            [c * c * s * s for c, s in ((16, 32), (32, 16), (64, 8))],
        ),
    ],
)
def test_what_attention_adds_to_resnet20(attention, params, macs):
    found = cost(gluon_attn.get_model("cifar_resnet20_v1", 10, attention=attention))
    plain = by_hand(20)
    assert (found.params, found.macs) == (plain[0] + 3 * sum(params), plain[1] + 3 * sum(macs))
    assert (found.attention.params, found.attention.macs) == (3 * sum(params), 3 * sum(macs))
    assert [row.name for row in found.parts] == ["stem", "stage1", "stage2", "stage3", "head"]
    for key in ("params", "macs", "other_ops"):
        total = getattr(found, key)
        assert sum(getattr(row, key) for row in found.parts) == total
        assert sum(getattr(row, key) for row in found.layers) == total


def test_layers_carry_the_path_of_their_block():
    found = cost(gluon_attn.get_model("cifar_resnet20_v1", 10, attention="se"))
    rows = {(row.name, row.op): row for row in found.layers}
    row = rows["features/2/0/post/mlp/0", "Convolution"]
    assert (row.output, row.params, row.macs, row.other_ops) == ((1, 1, 1, 1), 17, 16, 1)
    assert rows["features/0", "Convolution"].macs == 3 * 16 * 9 * 1024


def test_counting_leaves_no_trace_in_the_network():
    net = gluon_attn.get_model("atac_cifar_resnet", 10, blocks=1)
    cost(net)
    assert "__path__" not in net(mx.sym.var("data")).tojson()
    assert not net._forward_hooks
    assert not net._forward_pre_hooks


def test_a_failed_count_leaves_no_trace_either():
    class Broken(nn.HybridBlock):
        def hybrid_forward(self, F, x):
            raise RuntimeError("broken")

    net = nn.HybridSequential()
    net.add(nn.Conv2D(2, 1, in_channels=3), Broken())
    with pytest.raises(RuntimeError, match="broken"):
        cost(net)
    assert "__path__" not in (mx.sym.var("data") + 1).tojson()
    assert not net[1]._forward_hooks


def test_a_symbol_counts_like_its_network():
    net = gluon_attn.get_model("atac_cifar_resnet", 10, blocks=1)
    with plain_operators():
        graph = net(mx.sym.var("data"))
    symbol, block = cost(graph), cost(net)
    for key in ("params", "statistics", "macs"):
        # the norm of the input: center=False is not written in a graph, scale=False is
        assert getattr(symbol, key) == getattr(block, key) + (3 if key == "params" else 0)
    assert symbol.params + symbol.fixed == block.params + block.fixed


def test_shared_weights_count_once_and_work_each_time():
    class Twice(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2D(4, 3, padding=1, in_channels=4)

        def hybrid_forward(self, F, x):
            return self.layer(self.layer(x))

    found = cost(Twice(), (4, 5, 5))
    assert (found.params, found.macs, found.other_ops) == (4 * 4 * 9 + 4, 2 * 4 * 4 * 9 * 25, 2 * 4 * 25)


DATA = mx.sym.var("data")
OPERATORS = {
    "grouped convolution": (mx.sym.Convolution(DATA, num_filter=8, kernel=(3, 3), num_group=2), 8 * 36 * 2 * 9, 8 * 36),
    "dilated convolution": (
        mx.sym.Convolution(DATA, num_filter=8, kernel=(3, 3), dilate=(2, 2), no_bias=True), 8 * 16 * 4 * 9, 0,
    ),
    "strided deconvolution": (
        mx.sym.Deconvolution(DATA, num_filter=6, kernel=(2, 2), stride=(2, 2)), 4 * 64 * 6 * 4, 0,
    ),
    "dense": (mx.sym.FullyConnected(DATA, num_hidden=5), 5 * 256, 5),
    "dense on the last axis": (mx.sym.FullyConnected(DATA, num_hidden=5, flatten=False, no_bias=True), 32 * 5 * 8, 0),
    "batch_dot": (mx.sym.batch_dot(DATA.reshape((0, 4, 64)), DATA.reshape((0, 4, 64)), transpose_b=True), 16 * 64, 0),
    "batch_dot transposed": (
        mx.sym.batch_dot(DATA.reshape((0, 4, 64)), DATA.reshape((0, 4, 64)), transpose_a=True), 64 * 64 * 4, 0,
    ),
    "dot": (mx.sym.dot(DATA, mx.sym.var("w", shape=(8, 3))), 32 * 3 * 8, 0),
    "dot transposed": (mx.sym.dot(DATA.reshape((8, 32)), DATA.reshape((8, 32)), transpose_a=True), 32 * 32 * 8, 0),
    "gemm2": (mx.sym.linalg.gemm2(DATA, DATA, transpose_b=True), 4 * 64 * 8, 0),
    "max pooling": (mx.sym.Pooling(DATA, kernel=(2, 2), stride=(2, 2), pool_type="max"), 0, 64 * 4),
    "global pooling": (mx.sym.Pooling(DATA, kernel=(1, 1), global_pool=True, pool_type="avg"), 0, 256),
    "mean": (mx.sym.mean(DATA, axis=1), 0, 256),
    "broadcast": (mx.sym.broadcast_mul(DATA, mx.sym.mean(DATA, axis=1, keepdims=True)), 0, 512),
    "sum of three": (mx.sym.add_n(DATA, DATA, DATA), 0, 512),
    "softmax": (mx.sym.softmax(DATA), 0, 768),
    "movement": (mx.sym.concat(DATA.transpose((0, 2, 3, 1)).flatten(), DATA.flatten()), 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("case", OPERATORS)
def test_work_of_single_operators(case):
    symbol, macs, other = OPERATORS[case]
    found = cost(symbol, (4, 8, 8))
    assert (found.macs, found.other_ops) == (macs, other)


def test_an_operator_without_rule_is_an_error():
    with pytest.raises(UserError, match=r"operator erfinv .*has no rule"):
        cost(mx.sym.erfinv(DATA), (4, 8, 8))
    with pytest.raises(UserError, match="no rule"):
        work(GraphNode("unheard_of", "x", (), {}, (), ((1,),), ()))


def test_every_rule_is_for_an_operator_of_mxnet():
    import ctypes

    size, names = ctypes.c_uint(), ctypes.POINTER(ctypes.c_char_p)()
    mx.base.check_call(mx.base._LIB.MXListAllOpNames(ctypes.byref(size), ctypes.byref(names)))
    assert set(RULES) <= {names[i].decode() for i in range(size.value)}


def test_a_shape_that_does_not_fit_is_one_line():
    with pytest.raises(UserError, match=r"does not take an input of shape \(4, 8, 8\)") as error:
        cost(gluon_attn.get_model("cifar_resnet20_v1", 10), (4, 8, 8))
    assert "\n" not in str(error.value)


def test_an_image_that_is_too_small_is_one_line(capfd):
    net = gluon_attn.get_model("resnest14", 10, widths=[8, 8, 8, 8], input_size=32)
    check_input(net, (3, 32, 32))
    with pytest.raises(UserError, match=r"input of shape \(3, 8, 8\): kernel size \(2\) exceeds input") as error:
        check_input(net, (3, 8, 8))
    assert "\n" not in str(error.value)
    assert capfd.readouterr().out == ""


def test_a_detector_is_counted_with_its_heads():
    net = gluon_attn.get_model("mask_rcnn_fpn_resnet18_v1b", 4, fpn_channels=8, box_width=16, mask_widths=(6,))
    found = cost(net, (3, 64, 96))
    parameters = net.collect_params().values()
    assert found.params == sum(math.prod(p.shape) for p in parameters if p._differentiable)
    rows = {row.name: row for row in found.parts}
    assert list(rows) == [
        "stem", "stage1", "stage2", "stage3", "stage4", "pyramid, proposals", "box head, 1,000 rois",
        "mask head, 100 rois",
    ]  # fmt: skip
    assert rows["box head, 1,000 rois"].macs == 1000 * (8 * 49 * 16 + 16 * 16 + 16 * 5 + 16 * 20)
    assert rows["mask head, 100 rois"].macs == 100 * (196 * (8 * 9 * 6 + 6 * 4 * 8) + 784 * 8 * 5)
    pooled = {row.name: row.other_ops for row in found.layers if row.op == "_contrib_ROIAlign"}
    # four corners of four points of each of 49 bins and 196 bins; no level is without a roi
    assert sum(pooled.values()) == 16 * 8 * (1003 - 3) * 49 + 16 * 8 * 100 * 196
    assert found.total().macs == sum(row.macs for row in found.parts)


def test_a_detector_without_masks_has_two_graphs():
    found = cost(gluon_attn.get_model("faster_rcnn_fpn_resnet18_v1b", 4, fpn_channels=8, box_width=16), (3, 64, 64))
    assert found.parts[-1].name == "box head, 1,000 rois"
