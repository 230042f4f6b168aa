"""The attentions and networks agree with the reference implementations, case by case.

Values, gradients and running statistics are compared within the tolerance that each stored array carries.
"""

import re
import zlib
from pathlib import Path

import library
import mxnet as mx
import numpy as np
import pytest
from golden import Case, draw, folder, read_index

from gluon_attn import get_attention, get_model

LINEAR_SE = {"_mask.excitation.0": "mlp.0", "_mask.excitation.2": "mlp.2", "fc.0": "mlp.0", "fc.2": "mlp.2"}
CBAM = {
    "_mask.ChannelAttention.mlp.1": "mlp.0",
    "_mask.ChannelAttention.mlp.3": "mlp.2",
    "_mask.SpatialAttention.spatial.conv": "conv",
    "_mask.SpatialAttention.spatial.bn.weight": "norm.gamma",
    "_mask.SpatialAttention.spatial.bn.bias": "norm.beta",
    "_mask.SpatialAttention.spatial.bn": "norm",
}


def eca(args):
    options = {"kernel_size": args["k_size"]} if "k_size" in args else {k: args[k] for k in ("gamma", "b") if k in args}
    return get_attention("eca", args.get("channels", args.get("channel")), **options), {}


def att_darts(args):
    name = args.get("op") or {"SqueezeAndExcitation": "SE", "ConvolutionalBAM": "CBAM"}.get(args["cls"])
    if name not in ("SE", "CBAM", "Identity"):
        return library.att_darts(args)
    if not set(args) <= {"cls", "op", "c", "r", "height", "width"}:
        return None  # options that ours does not have
    options = {"reduction": args["r"]} if "r" in args else {}
    if name == "SE":
        options["bias"] = False
    return get_attention(name, args["c"], **options), CBAM if name == "CBAM" else LINEAR_SE


def cha_atac(args):
    options = {"reduction": args["r"], "relu": args["useReLU"], "global_pool": args["useGlobal"]}
    return get_attention("ChaATAC", args["channels"], **options), atac_names(args)


def atac_resnet(args):
    attentional = {"reduction": args["r"], "relu": args["useReLU"], "global_pool": args["useGlobal"]}
    net = get_model(
        "atac_cifar_resnet", args["classes"], blocks=args["layers"][0], act_type=args["act_type"],
        act_layers=args["act_layers"], act_order=args["act_order"],
        **(attentional if args["act_type"] == "ChaATAC" else {}),
    )  # fmt: skip
    return net, {"msAA": "act", **atac_names(args)}


def atac_names(args):
    """The reference counts its pooling and its ReLU, when they are there, as layers of `module`."""
    theirs, ours = args["useGlobal"], 0
    names = {}
    for layer in ("conv", "norm", "relu", "conv", "norm"):
        if layer == "relu" and not args["useReLU"]:
            continue
        names[f"module.{theirs:d}."] = f"mlp.{ours}."
        theirs, ours = theirs + 1, ours + 1
    return names


#: build of a case -> a function of the original's arguments; it gives our block and name parts to replace, or None
BUILDS = {
    "eca_layer": eca,
    "eca_layer_orig": eca,
    "anas_se_layer": lambda args: (
        get_attention("se", args["channel"], reduction=args["reduction"], bias=False),
        LINEAR_SE,
    ),
    "ean_se": lambda args: (get_attention("se", **args), {"fc1": "mlp.0", "fc2": "mlp.2"}),
    "attdarts_attention": att_darts,
    "attdarts_attn": att_darts,
    "atac_cha": cha_atac,
    "atac_resnet20": atac_resnet,
}


def mapped(case):
    """What the function of the case's build gives; None for a build that has none."""
    if case.build in library.OF_INPUT:
        return library.OF_INPUT[case.build](case.args, case.config["input"][1])
    return BUILDS[case.build](case.args) if case.build in BUILDS else None


CASES = [c for c in read_index() if c.modes() and mapped(c)]
COUNTED = [c for c in read_index() if c.id.startswith("cnt_atac_resnet20")]
RUNS = [pytest.param(c, mode, id=f"{c}-{mode}") for c in CASES for mode in c.modes()]


def renamed(name, names):
    """A name of the reference as ours; longer parts are tried first."""
    parts = sorted(names, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, parts)), lambda found: names[found[0]], name, count=2) if parts else name


def built(case):
    """(our block with the case's weights, reference name -> our parameter)."""
    net, names = mapped(case)
    net.initialize()
    own, params = net._collect_params_with_prefix(), {}
    for name, value in case.weights().items():
        param = own.pop(renamed(name, names))
        param.set_data(mx.nd.array(value.reshape(param.shape)))
        params[name] = param
    left = [name for name, param in own.items() if param.grad_req != "null"]
    assert left == [], f"{case}: the reference has no {left}"
    net.hybridize()
    return net, params


NO_CASES = pytest.mark.skipif(folder() is None, reason="no golden cases: set GLUON_ATTN_GOLDEN to their folder")


@NO_CASES
@pytest.mark.parametrize(("case", "mode"), RUNS)
def test_agrees_with_the_reference(case, mode):
    keys = [key for key in case.meta if key.startswith(f"{mode}/") and "/probe/" not in key]
    assert {f"{mode}/out", f"{mode}/grad_input"} <= set(keys)
    got = run(case, mode)
    complaints = [case.complaint(key, got[key].asnumpy()) for key in keys]
    assert [line for line in complaints if line] == []


def run(case, mode):
    """Array name -> our NDArray, for every array that the case may hold."""
    net, params = built(case)
    x = mx.nd.array(case.inputs()[0])
    x.attach_grad()
    train = mode == "train"
    with mx.autograd.record(train_mode=train):
        out = net(x)
    out.backward(mx.nd.array(case.cotangent(out.shape)), train_mode=train)
    got = {f"{mode}/out": out, f"{mode}/grad_input": x.grad}
    for name, param in params.items():
        got[f"{mode}/stat/{name}"] = param.data()
        if param.grad_req != "null":
            got[f"{mode}/grad/{name}"] = param.grad()
    return got


@NO_CASES
@pytest.mark.parametrize("case", [*CASES, *COUNTED], ids=str)
def test_parameter_counts(case):
    net, _ = mapped(case)
    sizes = [int(np.prod(p.shape)) for p in net.collect_params().values() if p.grad_req != "null"]
    assert sum(sizes) == case.counts["trainable"]


def test_the_weight_rule_by_hand():
    """Checked where the cases are not there as well. RandomState is frozen by NumPy's policy."""
    case = Case({"id": "x", "config": {"input": [2, 3]}, "seed": 2020}, Path())
    assert draw("fc.weight", "linear", (2, 2), 2.0, 2020) == pytest.approx(
        np.random.RandomState(zlib.crc32(b"fc.weight") ^ 2020).normal(0, 1, (2, 2)).astype("float32")
    )
    assert case.inputs()[0].tolist() == np.random.RandomState(2021).normal(size=(2, 3)).astype("float32").tolist()
    assert case.cotangent((4,)).tolist() == np.random.RandomState(2022).normal(size=4).astype("float32").tolist()


def test_a_disagreement_is_seen():
    meta = {"shape": [3, 2], "step": 2, "l2": 2.0, "f64_l2": 0, "f64_max": 0, "wob_l2": 0, "wob_max": 0}
    case = Case({"id": "x", "config": {}, "arrays": {"eval/out": meta}}, Path())
    case._data = {"eval/out": np.array([1.0, 1.0, 1.0], "float32")}
    whole = np.array([1, 1, 1, 0, 1, 0.0])
    assert case.complaint("eval/out", whole) is None
    assert "relative l2 distance" in case.complaint("eval/out", whole + np.eye(6)[0] * 1e-5)
    assert "whole array's norm" in case.complaint("eval/out", whole + np.eye(6)[1] * 1e-2)
    assert case.complaint("eval/out", whole * np.nan)
