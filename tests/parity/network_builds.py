"""Builds of networks: the references' constructor arguments as ours (`builds.py`)."""

from functools import partial

from built import Built, fixed, renamed
from module_builds import atac_options, genotype

from gluon_attn import Plan, get_model, list_models
from gluon_attn.genotypes.cell import cell_genotype
from gluon_attn.models.cell import Cell
from gluon_attn.models.resnet.cifar import OPTION_B
from gluon_attn.models.resnet.torch_resnet import TorchResNet


def eca_model(args, case):
    """The reproduction's, by the kernel formula; its MobileNetV2 ignores the formula's arguments."""
    name, classes = args.pop("fn"), args.pop("num_classes", 1000)
    if name == "eca_mobilenet_v2":
        args.pop("b", None), args.pop("gamma", None)
        options = renamed(args, {"width_mult": "multiplier"})
        return Built(get_model("eca_mobilenet_v2_formula", classes, drop_rate=0, **options), "ecanet")
    formula = renamed(args, {"b": "b", "gamma": "gamma"})
    if formula:
        name = f"{name.removeprefix('eca_')}_v1b"
        return Built(get_model(name, classes, attention={"name": "eca", **formula}), "ecanet")
    return Built(get_model(name, classes), "ecanet")


def eca_orig_model(args, case):
    """BangguWu/ECANet's, by given kernels, one a stage."""
    name, classes = args.pop("fn"), args.pop("num_classes", 1000)
    if name == "eca_mobilenet_v2":
        options = renamed(args, {"width_mult": "multiplier"})
        return Built(get_model(name, classes, drop_rate=0, **options), "ecanet")
    kernels = args.pop("k_size", [3, 3, 3, 3])
    plan = [
        {"name": "eca", "stages": [i], "options": {"kernel_size": int(kernel)}} for i, kernel in enumerate(kernels, 1)
    ]
    return Built(get_model(f"{name.removeprefix('eca_')}_v1b", classes, plan=Plan(plan)), "ecanet")


#: attention of the reproduction's networks -> Echo's with its defaults
REPRODUCED = {
    "SE": {"name": "se"},
    "CBAM": {"name": "cbam", "kernel_size": 3, "conv_bias": True},
    "ECA": {"name": "eca"},
}
#: what it takes for any other name
OTHERWISE = {"name": "triplet", "bias": True}


def att_resnet(args, case):
    attention, classes = args.pop("att", "SE"), args.pop("num_classes", 1000)
    attention = REPRODUCED[attention] if attention in ("SE", "CBAM") else OTHERWISE
    return Built(get_model(f"{args.pop('fn')}_v1b", classes, attention=attention), "ecanet")


def sweep_resnet(args, case):
    attention = REPRODUCED.get(args.pop("att", "ECA"), OTHERWISE)
    return Built(get_model(f"cifar_{args.pop('fn')}_a", 10, attention=attention), "ecanet")


def anas_eval(args, case):
    blocks, classes, cell = args.pop("n_size"), args.pop("num_classes", 10), genotype(args.pop("genotype"))
    name, plan = f"anas_resnet{6 * blocks + 2}", Plan([{"name": "anas", "options": {"genotype": cell}}])
    if name in list_models():
        return Built(get_model(name, classes, genotype=cell), "anas")
    return Built(TorchResNet(OPTION_B, [blocks] * 3, plan, classes, input_size=32), "anas")


def anas_se(args, case):
    name, options = args.pop("fn"), renamed(args, {"reduction": "reduction"})
    return Built(get_model(f"se_cifar_{name.removeprefix('se_')}", args.pop("num_classes", 10), **options), "anas")


#: kind -> (model, its options)
EAN = {"dia": ("dia_fbresnet50", {}), "se": ("se_fbresnet50", {}), "sge": ("sge_fbresnet50", {"variant": "reference"})}


def ean_model(args, case):
    name, options = EAN[args.pop("kind")]
    classes = args.pop("num_classes", 1000)
    net = get_model(name, classes, scheme=case.opts["code"], **options)
    return Built(net, "ean", whole=get_model(name, classes, **options))


def ean_stage(args, case):
    name, options = EAN[args.pop("kind")]
    stage, code = args.pop("stage"), case.opts["code"]
    codes = ["0" * blocks for blocks in (3, 4, 6, 3)]
    codes[stage - 1] = code
    stages = [getattr(get_model(name, 10, scheme=s, **options), f"layer{stage}") for s in ("".join(codes), None)]
    return Built(stages[0], "ean", whole=stages[1])


def att_darts_cell(args, case):
    """Alone it gets both inputs; the first is twice as high and wide after a reduction."""
    genotype, reduction = cell_genotype(args.pop("genotype")), args.pop("reduction")
    edges, size = genotype.reduce if reduction else genotype.normal, (args.pop("height"), args.pop("width"))
    widths = [args.pop(key) for key in ("C_prev_prev", "C_prev", "C")]
    return Built(
        Cell(edges, *widths, size, reduction=reduction, halve=args.pop("reduction_prev")),
        "att-darts",
        call=lambda cell, *inputs: cell(*inputs),
    )


def cell_network(name, args, case):
    names = {"C": "channels", "layers": "layers", "auxiliary": "auxiliary", "genotype": "genotype"}
    return Built(get_model(name, args.pop("num_classes"), **renamed(args, names)), "att-darts")


def dia_resnet(args, case):
    block = {"Bottleneck": "bottleneck", "BasicBlock": "basic"}[args.pop("block_name", "BasicBlock")]
    return Built(
        get_model("dia_cifar_resnet", args.pop("num_classes", 10), depth=args.pop("depth"), block=block), "ean"
    )


def atac(args):
    """Return the activation, and the options of it and of where it is used."""
    act_type, options = args.pop("act_type"), atac_options(args)
    where = {key: args.pop(key) for key in ("act_layers", "act_order") if key in args}
    return act_type, where | (options if act_type == "ChaATAC" else {})


def atac_resnet20(args, case):
    # a backbone has no classes, and the rest is of other activations there
    fixed(args, asBackbone=False, dilation=1, replace_act="relu", skernel=3)
    options = renamed(args, {"layers": "blocks", "channels": "channels"})
    classes = args.pop("classes")
    act_type, more = atac(args)
    return Built(get_model("atac_cifar_resnet", classes, act_type=act_type, **options, **more), "open-atac")


def atac_resnet50(args, case):
    fixed(args, use_global_stats=False)
    names = {
        "layers": "blocks", "avg_down": "avg_down", "dilated": "dilated", "last_gamma": "last_gamma",
        "final_drop": "drop_rate",
    }  # fmt: skip
    options, width = renamed(args, names), args.pop("stem_width", 32)
    if args.pop("deep_stem", False):  # the width is of a deep stem only
        options |= {"stem": "deep", "stem_width": width}
    classes = args.pop("classes", 1000)
    act_type, more = atac(args)
    return Built(get_model("atac_resnet50_v1b", classes, act_type=act_type, **options, **more), "open-atac")


BUILDS = {
    "anas_eval": anas_eval,
    "anas_se": anas_se,
    "att_resnet": att_resnet,
    "attdarts_cell": att_darts_cell,
    "atac_resnet20": atac_resnet20,
    "atac_resnet50": atac_resnet50,
    "dia_resnet": dia_resnet,
    "ean_model": ean_model,
    "ean_stage": ean_stage,
    "eca_model": eca_model,
    "eca_orig_model": eca_orig_model,
    "net_cifar": partial(cell_network, "darts_cifar"),
    "net_imagenet": partial(cell_network, "darts_imagenet"),
    "sweep_resnet": sweep_resnet,
}
