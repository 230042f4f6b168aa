"""Builds of networks in search: the references' constructor arguments as ours (`builds.py`)."""

from built import Built, renamed

from gluon_attn.search.darts.attention_supernet import AttentionSupernet, MixedAttention
from gluon_attn.search.darts.cell_supernet import CellSupernet
from gluon_attn.search.darts.mixed_op import MixedEdge
from gluon_attn.search.darts.space import AttentionSpace, cell_space


def mixed_edge(args, case):
    size = args.pop("height"), args.pop("width")
    edge = MixedEdge(cell_space(args.pop("setting")), args.pop("c"), args.pop("stride"), size)
    return Built(edge, "att-darts", call=with_weights)


def cell_supernet(args, case):
    names = {"c": "channels", "layers": "layers", "setting": "location"}
    size = (case.config["input"] or [0, 0, 32])[2]
    # the reference builds for 32 pixels, whatever comes
    net = CellSupernet(args.pop("num_classes"), **renamed(args, names), input_size=max(size, 32))
    return Built(net, "att-darts")


def mixed_attention(args, case):
    return Built(MixedAttention(AttentionSpace(), args.pop("c")), "anas", call=with_weights)


def attention_supernet(args, case):
    return Built(AttentionSupernet(args.pop("num_classes", 10), blocks=args.pop("n_size")), "anas")


def with_weights(block, *inputs):
    return block(*inputs)


BUILDS = {
    "anas_search": attention_supernet,
    "anas_search_cell": mixed_attention,
    "attdarts_mixed": mixed_edge,
    "attdarts_search": cell_supernet,
}
