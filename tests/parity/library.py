"""How the reference repositories' arguments and tensor names map to the attentions of the library.

Each function takes a case's arguments and gives (our block, name parts to replace), or None for what is not ours.
"""

from gluon_attn import get_attention


def norm(theirs, ours):
    """Name parts of one batch normalisation."""
    return {f"{theirs}.weight": f"{ours}.gamma", f"{theirs}.bias": f"{ours}.beta", f"{theirs}.": f"{ours}."}


def bam(args):
    """Att-DARTS's two forms; both multiply."""
    last = args.get("paper", False)
    block = get_attention("bam", args["c"], variant="reference", norm="last" if last else "inner")
    channel, space = "_mask.channel_att.gate_c.gate_c_", "_mask.spatial_att.gate_s.gate_s_"
    names = {f"{channel}fc_0": "channel.0", f"{space}conv_reduce0": "space.0"}
    if last:
        names |= {f"{channel}fc_final": "channel.2", **norm(f"{channel}bn_final", "channel.3")}
        names |= {f"{space}conv_di_0": "space.2", f"{space}conv_di_1": "space.4", f"{space}conv_final": "space.6"}
        return block, names | norm(f"{space}bn_final", "space.7")
    names |= {f"{channel}fc_final": "channel.3", **norm(f"{channel}bn_1", "channel.1")}
    names |= {f"{space}conv_di_0": "space.3", f"{space}conv_di_1": "space.6", f"{space}conv_final": "space.9"}
    for theirs, ours in (("bn_reduce0", "space.1"), ("bn_di_0", "space.4"), ("bn_di_1", "space.7")):
        names |= norm(space + theirs, ours)
    return block, names


def gather_excite(args):
    channels, extent = args["out_planes"], args.get("extent", 0)
    names = {"_mask.mlp": "mlp"}
    if not args.get("extra_params", True):
        reduction = 16 if args.get("mlp", True) else None
        return get_attention("ge_theta_minus", channels, extent=extent, reduction=reduction, variant="reference"), names
    name = "ge_theta_plus" if args.get("mlp", True) else "ge_theta"
    for step in range(3):
        names |= {f"_mask.downop.{step}.dwconv": f"gather.{3 * step}"}
        names |= norm(f"_mask.downop.{step}.bn", f"gather.{3 * step + 1}")
    names |= {"_mask.downop.dwconv": "gather.0", **norm("_mask.downop.bn", "gather.1")}
    return get_attention(name, channels, extent=extent, spatial=args["spatial"]), names


def double_attention(args):
    names = {"A": "feature", "B": "gather", "V": "distribute", "Z": "expand"}
    options = {key: args[key] for key in ("c_m", "c_n") if key in args}
    block = get_attention("DoubleAttention", args["in_channels"], frames=args.get("k", 1), **options)
    return block, {f"_mask.conv{theirs}": ours for theirs, ours in names.items()}


ATT_DARTS = {
    "BottleneckAttentionModule": bam,
    "GEBlock": gather_excite,
    "DoubleAttentionLayer": double_attention,
    "BAM": bam,
    "GE_theta-plus": lambda args: gather_excite({"out_planes": args["c"], "spatial": args["height"]}),
    "DoubleAttention": lambda args: double_attention({"in_channels": args["c"]}),
}


def att_darts(args):
    make = ATT_DARTS.get(args.get("op") or args["cls"])
    return make and make(args)


def echo(args, channels):
    """Echo's triplet attention does not know its channels."""
    if args["cls"] != "TripletAttention":
        return None
    names = {}
    for gate in ("cw", "hc", "hw"):
        names |= {f"{gate}.conv_bn.0": f"{gate}.0", **norm(f"{gate}.conv_bn.1", f"{gate}.1")}
    options = {key: args[key] for key in ("kernel_size", "no_spatial") if key in args}
    return get_attention("triplet", channels, bias=True, **options), names


def sge(args, channels):
    return get_attention("sge", channels, groups=args.get("groups", 64), variant="reference"), {}


#: those that need the channels of the case's input as well
OF_INPUT = {"echo": echo, "sge": sge}
