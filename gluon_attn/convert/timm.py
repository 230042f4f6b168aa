"""Names of huggingface/pytorch-image-models (timm): its attention layers, alone and in its networks."""

from mxnet.gluon import HybridBlock, nn

from ..models.inverted import InvertedBlock
from ..models.mobile_network import MobileNetwork
from ..models.resnet.design import Design
from ..models.resnet.torch_resnet import TorchResNet
from .names import NameMap, Table

BOTTLENECK = ((1, "1x1"), (2, "kxk"), (3, "1x1"))
CBAM = {
    "mlp.0": "channel.fc1",
    "mlp.2": "channel.fc2",
    "conv": "spatial.conv.conv",
    "norm": "spatial.conv.bn",
}
EMBEDDINGS = ("pos_embed.height_rel", "pos_embed.width_rel")
BAT = {
    **{
        f"{ours}.{i}": f"{there}.{layer}"
        for ours, there in (("squeeze", "conv1"), ("expand", "conv2"), ("maps", "ba.conv1"), ("mix", "ba.conv2"))
        for i, layer in enumerate(("conv", "bn"))
    },
    "rows": "ba.conv_p",
    "columns": "ba.conv_q",
}


def global_context(way: str) -> Table:
    """The table of a global context, whose MLP, named `way` there, either scales or adds."""
    return {"key": "conv_attn", "squeeze": f"{way}.fc1", "norm": f"{way}.norm", "expand": f"{way}.fc2"}


def gather_excite(block: HybridBlock) -> Table:
    """The table of a Gather-Excite: its layers are numbered here, the steps of the gathering there."""
    names = {"mlp.0": "mlp.fc1", "mlp.2": "mlp.fc2"}
    for i in range(0, len(getattr(block, "gather", ())), 3):
        names |= {f"gather.{i}": f"gather.conv{i // 3 + 1}", f"gather.{i + 1}": f"gather.norm{i // 3 + 1}"}
    return names


def selective_kernel(block: HybridBlock) -> Table:
    """The table of an `SK`: our branches are paths there."""
    names = {"squeeze": "attn.fc_reduce", "norm": "attn.bn", "expand": "attn.fc_select"}
    for i in range(len(block.branches)):
        names |= {f"branches.{i}.0": f"paths.{i}.conv", f"branches.{i}.1": f"paths.{i}.bn"}
    return names


#: our path -> theirs in a network of the class ByobNet, which those without a pooling after the stem have
BYOB_BLOCK = {
    **{f"conv{i}": f"conv{i}_{kernel}.conv" for i, kernel in BOTTLENECK},
    **{f"bn{i}": f"conv{i}_{kernel}.bn" for i, kernel in BOTTLENECK},
    "downsample.0": "shortcut.conv",
    "downsample.1": "shortcut.bn",
    "inner": "attn",
}
BYOB = {
    **{f"conv1.{3 * i}": f"stem.conv{i + 1}.conv" for i in range(3)},
    **{f"conv1.{3 * i + 1}": f"stem.conv{i + 1}.bn" for i in range(2)},
    "bn1": "stem.conv3.bn",
    **{f"layer{i}": f"stages.{i - 1}" for i in range(1, 5)},
    "final.0": "final_conv.conv",
    "final.1": "final_conv.bn",
    "fc": "head.fc",
}
#: SENet-154, a class of its own there
SENET = {
    **{f"conv1.{3 * i + j}": f"layer0.{kind}{i + 1}" for i in range(3) for j, kind in enumerate(("conv", "bn"))},
    "bn1": "layer0.bn3",
    "fc": "last_linear",
}


def resnet(net: TorchResNet) -> list[Table]:
    """The tables of a network, which has one of three classes there."""
    if not net.design.stem_pad:
        return [SENET]
    if not net.design.stem_pool:
        return [BYOB]
    return [BYOB, {}] if _tiered(net.design) else [{}]


def _tiered(design: Design | None) -> bool:
    """Whether it is mostly of the class ByobNet, though it has a pooling after the stem."""
    return design is not None and (design.kind, design.stem, design.shortcut) == ("bottleneck", "tiered", "conv")


def residual(block: HybridBlock) -> list[Table]:
    """The tables of a `Residual`, see `resnet`."""
    design = getattr(block, "design", None)
    if not getattr(design, "stem_pad", True):
        return [{"post": "se_module"}]
    if not getattr(design, "stem_pool", True):
        return [_byob_block(block)]
    return [_byob_block(block), _resnet_block(block)] if _tiered(design) else [_resnet_block(block)]


def _byob_block(block: HybridBlock) -> Table:
    if isinstance(block.conv2, nn.Conv2D):
        return BYOB_BLOCK
    inside = ".0" if isinstance(block.conv2, nn.HybridSequential) else ""  # a pooling after it
    return {**BYOB_BLOCK, f"conv2{inside}": "self_attn", "bn2": "post_attn"}


def _resnet_block(block: HybridBlock) -> Table:
    """With selective kernels a convolution and its norm are one layer there."""
    names = {"post": "se"}
    if any(getattr(getattr(block, f"conv{i}", None), "reference_key", "") == "sk" for i in (1, 2)):
        for i in (1, 2, 3):
            names |= {f"conv{i}": f"conv{i}.conv", f"bn{i}": f"conv{i}.bn"} if hasattr(block, f"bn{i}") else {}
    return names


#: squeeze-and-excitation after the depthwise convolution
INNER = {"inner": "se", "inner.mlp.0": "se.conv_reduce", "inner.mlp.2": "se.conv_expand"}


def inverted_block(block: InvertedBlock) -> Table:
    """The table of an inverted residual block: one that does not expand counts its layers from the depthwise one."""
    if block.expands:
        return INNER
    return {**INNER, "bn2": "bn1", "conv_pwl": "conv_pw", "bn3": "bn2"}


def mobile_network(net: MobileNetwork) -> Table:
    """The table of a network of such blocks: MobileNetV3's last convolution counts as a stage there."""
    last = f"blocks.{len(net.blocks)}.0"
    return {"conv_head": f"{last}.conv", "bn2": f"{last}.bn1", "hidden": "conv_head"} if net.hidden else {}


REGNET = {
    "conv1": "stem.conv",
    "bn1": "stem.bn",
    "fc": "head.fc",
    **{f"layer{i}.{j}": f"s{i}.b{j + 1}" for i in range(1, 5) for j in range(40)},
}
REGNET_BLOCK = {
    **{f"conv{i}": f"conv{i}.conv" for i in (1, 2, 3)},
    **{f"bn{i}": f"conv{i}.bn" for i in (1, 2, 3)},
    "downsample.0": "downsample.conv",
    "downsample.1": "downsample.bn",
    "inner": "se",
}

NAME_MAP = NameMap(
    tables={
        "inverted_block": inverted_block,
        "mobile_network": mobile_network,
        "regnet": REGNET,
        "regnet_block": REGNET_BLOCK,
        "se": {"mlp.0": "fc1", "mlp.2": "fc2"},
        "ese": {"conv": "fc"},
        "eca_mlp": {"squeeze": "conv", "conv": "conv2"},
        "cbam": CBAM,
        "light_cbam": CBAM,
        "gc": global_context("mlp_scale"),
        "gca": global_context("mlp_add"),
        "gather_excite": gather_excite,
        "sk": selective_kernel,
        "split": {"bn": "bn0"},
        "bot": {"attention.qkv": "qkv", "attention.rows": EMBEDDINGS[0], "attention.columns": EMBEDDINGS[1]},
        "halo": {"query": "q", "both": "kv", "rows": EMBEDDINGS[0], "columns": EMBEDDINGS[1]},
        "lambda": {"position": "conv_lambda"},
        "bat": BAT,
        "resnet": resnet,
        "residual": residual,
    },
    # a softmax follows, whose output no constant changes
    unused=(r"(.*\.)?conv_attn\.bias",),
    companions={r"((?:.*\.)?conv_attn)\.weight": r"\1.bias"},
    prefers_ema=True,
    # theirs convolves [mean; max], ours [max; mean]
    changes={
        r"(.*\.)?spatial\.conv\.conv\.weight": lambda weight: weight[:, ::-1],
        # MobileNetV3's dense layer is a convolution there
        r"conv_head\.weight": lambda weight: weight.reshape(*weight.shape[:2], 1, 1),
        # a lambda layer's convolution over the map is one in three dimensions there, the last of one number
        r"(.*\.)?conv_lambda\.weight": lambda weight: weight[..., None] if weight.ndim == 4 else weight[..., 0],
    },
)
