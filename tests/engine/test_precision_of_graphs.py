"""A network of several graphs, with several inputs and outputs each, in bfloat16 and float16."""

from functools import partial

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_model
from gluon_attn.engine.precision import computing
from gluon_attn.nn import kernels

SIZE = (64, 96)


@pytest.fixture(scope="module")
def net():
    made = get_model(
        "mask_rcnn_fpn_resnet18_v1b", 3, attention="se", widths=(8, 16, 32, 64), fpn_channels=16, box_width=32,
        mask_widths=(16,), anchor_sizes=(8, 16, 32, 64, 128),
    )  # fmt: skip
    mx.random.seed(1)
    made.initialize(mx.init.MSRAPrelu())
    return made


def arrays(net):
    """Name of a graph -> what it takes."""
    rng = np.random.default_rng(0)
    maps = [mx.nd.array(rng.normal(size=(2, 16, SIZE[0] // s, SIZE[1] // s))) for s in (4, 8, 16, 32)]
    corners = rng.uniform(0, 60, (12, 4))
    rois = np.concatenate([rng.integers(0, 2, (12, 1)), np.minimum(corners[:, :2], corners[:, 2:]), corners[:, 2:] + 4],
                          axis=1)  # fmt: skip
    levels = mx.nd.array(rng.integers(0, 4, 12))
    heads = [*maps, mx.nd.array(rois), levels]
    images = mx.nd.array(rng.normal(size=(2, 3, *SIZE)))
    return {"body": [images], "box_head": heads, "mask_head": heads}


def results(graph, inputs, params):
    """(outputs, gradients of the same sum of them by parameter)."""
    with mx.autograd.record():
        found = graph(*inputs)
        outputs = list(found) if isinstance(found, list | tuple) else [found]
        rng = np.random.default_rng(1)
        total = sum((one * mx.nd.array(rng.normal(size=one.shape))).sum() for one in outputs)
    total.backward()
    grads = {name: param.grad().asnumpy() for name, param in params.items() if param.grad_req != "null"}
    return [one.asnumpy() for one in outputs], grads


def cosine(first, second):
    one, two = (np.concatenate([found[name].ravel() for name in sorted(first)]) for found in (first, second))
    return (one * two).sum() / np.sqrt((one**2).sum() * (two**2).sum())


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", ["body", "box_head", "mask_head"])
def test_bfloat16_is_near_float32_with_gradients(net, name, compiled):
    if compiled and kernels.problem():
        pytest.skip(kernels.problem())
    inputs, part = arrays(net)[name], getattr(net, name)
    params = part._collect_params_with_prefix()
    with kernels.compiled_operators() if compiled else mx.autograd.pause(train_mode=False):
        graphs = [getattr(net.computed_by(partial(computing, dtype=dtype)), name) for dtype in ("float32", "bfloat16")]
        exact, rounded = (results(graph, inputs, params) for graph in graphs)
    for one, other in zip(exact[0], rounded[0], strict=True):
        assert other.dtype == np.float32
        assert 0 < np.abs(one - other).max() <= 0.06 * np.abs(one).max()
    assert cosine(exact[1], rounded[1]) > (0.9 if name == "body" else 0.99)  # deep, and of random signs
    assert {np.dtype(param.dtype) for param in params.values()} == {np.dtype("float32")}


def test_float16_types_fit(net):
    """What a GPU would run; a CPU can only be asked for the types: rois stay in float32, what comes out is, too."""
    made = get_model("mask_rcnn_fpn_resnet18_v1b", 3, attention="se", norm="group", widths=(8, 8, 8, 8), fpn_channels=8)
    made.initialize()
    graphs = made.computed_by(partial(computing, dtype="float16", hybrid=False))
    names = ("p2", "p3", "p4", "p5", "rois", "levels")
    for graph, inputs in ((graphs.body, ["data"]), (graphs.box_head, names), (graphs.mask_head, names)):
        found = graph(*map(mx.sym.var, inputs))
        group = mx.sym.Group(found) if isinstance(found, list) else found
        assert set(group.infer_type(**dict.fromkeys(inputs, np.float32))[1]) == {np.float32}
    weights = {np.dtype(p.dtype) for name, p in made.collect_params().items() if name.endswith("weight")}
    assert weights == {np.dtype("float16")}
