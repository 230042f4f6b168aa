"""Builds of single modules: the references' constructor arguments as ours (`builds.py`)."""

from functools import partial

import mxnet as mx
from built import Built, fixed, renamed

from gluon_attn import get_attention
from gluon_attn.attention.dia import LSTMCell
from gluon_attn.attention.factory import attention_options
from gluon_attn.nn import cell_ops


def attdarts_attention(args, case):
    made = ATT_DARTS[args.pop("cls")](args)
    return Built(made, "att-darts")


def attdarts_attn(args, case):
    name, channels, height, width = (args.pop(key) for key in ("op", "c", "height", "width"))
    options = {"SE": {"bias": False}, "BAM": {"variant": "reference"}}.get(name, {})
    if "spatial" in attention_options(name):
        options["spatial"] = (height, width)
    return Built(get_attention(name, channels, **options), "att-darts")


def _se(args):
    return get_attention("se", args.pop("c"), bias=False, **renamed(args, {"r": "reduction"}))


def _bam(args):
    norm = "last" if args.pop("paper", False) else "inner"
    return get_attention("bam", args.pop("c"), variant="reference", norm=norm)


def _cbam(args):
    names = {"reduction_ratio": "reduction", "pool_types": "pools", "no_spatial": "no_spatial"}
    return get_attention("cbam", args.pop("c"), **renamed(args, names))


def _gather_excite(args):
    channels, spatial, extent = args.pop("out_planes"), args.pop("spatial"), args.pop("extent", 0)
    mlp = args.pop("mlp", True)
    if args.pop("extra_params", True):
        return get_attention("ge_theta_plus" if mlp else "ge_theta", channels, extent=extent, spatial=spatial)
    assert not extent or spatial % extent == 0, f"windows of {extent} pixels do not fill {spatial}x{spatial}"
    reduction = 16 if mlp else None
    return get_attention("ge_theta_minus", channels, extent=extent, reduction=reduction, variant="reference")


def _double_attention(args):
    options = renamed(args, {"c_m": "c_m", "c_n": "c_n", "k": "frames"})
    return get_attention("a2", args.pop("in_channels"), **options)


ATT_DARTS = {
    "SqueezeAndExcitation": _se,
    "BottleneckAttentionModule": _bam,
    "ConvolutionalBAM": _cbam,
    "GEBlock": _gather_excite,
    "DoubleAttentionLayer": _double_attention,
}


def cell_operation(args, case):
    source = "anas" if case.build == "anas_op" else "att-darts"
    options = renamed(args, {"stride": "stride", "affine": "affine"})
    return Built(cell_ops.cell_op(args.pop("op"), args.pop("c"), **options), source)


def cell_layer(args, case):
    """The classes of those operations; ours keep the number of channels where theirs always do in cells."""
    kind, widths = args.pop("cls"), (args.pop("C_in"), args.pop("C_out"))
    options = renamed(args, {"affine": "affine"})
    if kind == "FactorizedReduce":
        return Built(cell_ops.FactorizedReduce(*widths, **options), "att-darts")
    size, stride = args.pop("kernel_size"), args.pop("stride")
    fixed(args, padding=size // 2 * (args.get("dilation", 1)))
    if kind == "ReLUConvBN":
        return Built(cell_ops.ReLUConvBN(*widths, size, stride=stride, **options), "att-darts")
    fixed(args, **({"dilation": 2} if kind == "DilConv" else {}))
    assert widths[0] == widths[1], f"{kind} changes no width here"
    made = {"SepConv": cell_ops.SepConv, "DilConv": cell_ops.DilConv}[kind]
    return Built(made(widths[0], size, stride=stride, **options), "att-darts")


def genotype(given):
    """A name, the cell's edges or a mapping that has them."""
    return given if isinstance(given, str | dict) else {"att": given}


def anas_cell(args, case):
    return Built(get_attention("anas", args.pop("c"), genotype=genotype(args.pop("genotype"))), "anas")


def anas_se_layer(args, case):
    options = renamed(args, {"reduction": "reduction"})
    return Built(get_attention("se", args.pop("channel"), bias=False, **options), "anas")


def eca(args, case):
    if "channel" in args:  # BangguWu/ECANet's
        return Built(get_attention("eca", args.pop("channel"), kernel_size=args.pop("k_size", 3)), "ecanet")
    return Built(get_attention("eca", args.pop("channels"), **renamed(args, {"gamma": "gamma", "b": "b"})), "ecanet")


def eca_ns(args, case):
    return Built(get_attention("eca_ns", args.pop("channel"), kernel_size=args.pop("k_size")), "ecanet")


def echo(args, case):
    # as BAM it pools and gates at the start of its pass, throws that away and does it again
    again = ("ChannelGate", len(args.get("pool_types", ["avg", "max"]))) if args.get("bam") else ()
    return Built(ECHO[args.pop("cls")](args, case), "echo", again=again)


def _echo_triplet(args, case):
    options = renamed(args, {"kernel_size": "kernel_size", "no_spatial": "no_spatial"})
    return get_attention("triplet", case.inputs()[0].shape[1], bias=True, **options)


def _echo_cbam(args, case):
    channels, pools = args.pop("gate_channels"), args.pop("pool_types", ["avg", "max"])
    reduction, kernel_size = args.pop("reduction_ratio", 16), args.pop("kernel_size", 3)
    dilation, convs = args.pop("dilation_val", 4), args.pop("dilation_conv_num", 2)
    layers, norm, no_spatial = args.pop("num_layers", 1), args.pop("bn", False), args.pop("no_spatial", False)
    args.pop("supply_F", None)  # of the case, not of the class
    if args.pop("bam", False):
        return get_attention(
            "bam", channels, reduction=reduction, pools=pools, dilation=dilation, convs=convs, layers=layers,
            variant="reference", norm="inner" if norm else "space",
        )  # fmt: skip
    return get_attention(
        "cbam", channels, reduction=reduction, pools=pools, kernel_size=kernel_size, no_spatial=no_spatial,
        conv_bias=not no_spatial,
    )  # fmt: skip


ECHO = {
    "TripletAttention": _echo_triplet,
    "CBAM": _echo_cbam,
    "SE": lambda args, case: get_attention(
        "se", args.pop("gate_channels"), **renamed(args, {"reduction_ratio": "reduction"})
    ),
    "ECA": lambda args, case: get_attention("eca", args.pop("channels"), **renamed(args, {"gamma": "gamma", "b": "b"})),
}


def sge(args, case):
    channels = case.inputs()[0].shape[1]
    return Built(get_attention("sge", channels, groups=args.pop("groups", 64), variant="reference"), "ean")


def ean_se(args, case):
    return Built(get_attention("se", args.pop("channels"), reduction=args.pop("reduction")), "ean")


def lstm_cell(args, case):
    reduction = {"ean": 20, "dia": 4}[args.pop("repo")]
    layers = args.pop("nlayers", 1)
    cell = LSTMCell(args.pop("size"), reduction=reduction, layers=layers, dropout=0)
    return Built(cell, "ean", call=partial(_all_steps, layers))


def _all_steps(layers, cell, x):
    """All hidden and all cell states, as steps x layers x batch x size."""
    steps = [mx.nd.squeeze(step, axis=0) for step in mx.nd.split(x, x.shape[0], axis=0)]
    h = c = mx.nd.zeros((x.shape[1], layers * x.shape[2]), dtype=x.dtype)
    seen = []
    for step in steps:
        h, c = cell(step, h, c)
        seen.append([mx.nd.stack(*mx.nd.split(part, layers, axis=1, squeeze_axis=False), axis=0) for part in (h, c)])
    return [mx.nd.stack(*parts, axis=0) for parts in zip(*seen, strict=True)]


def atac_options(args):
    return renamed(args, {"r": "reduction", "useReLU": "relu", "useGlobal": "global_pool"})


def atac_cha(args, case):
    return Built(get_attention("cha_atac", args.pop("channels"), **atac_options(args)), "open-atac")


BUILDS = {
    "attdarts_attention": attdarts_attention,
    "attdarts_attn": attdarts_attn,
    "attdarts_op": cell_operation,
    "attdarts_layer": cell_layer,
    "anas_op": cell_operation,
    "anas_cell": anas_cell,
    "anas_se_layer": anas_se_layer,
    "eca_layer": eca,
    "eca_layer_orig": eca,
    "eca_ns_layer": eca_ns,
    "echo": echo,
    "sge": sge,
    "ean_se": ean_se,
    "lstm_cell": lstm_cell,
    "atac_cha": atac_cha,
}
