"""huggingface/pytorch-image-models (timm): its attention layers, alone or in its ResNets."""

from .names import Source

CBAM = {
    "mlp.0": "channel.fc1",
    "mlp.2": "channel.fc2",
    "conv": "spatial.conv.conv",
    "norm": "spatial.conv.bn",
}


def global_context(way):
    """The context goes through a perceptron that either scales or adds."""
    return {"key": "conv_attn", "squeeze": f"{way}.fc1", "norm": f"{way}.norm", "expand": f"{way}.fc2"}


def gather_excite(block):
    """Layers are counted through here, steps there."""
    names = {"mlp.0": "mlp.fc1", "mlp.2": "mlp.fc2"}
    for i in range(0, len(getattr(block, "gather", ())), 3):
        names |= {f"gather.{i}": f"gather.conv{i // 3 + 1}", f"gather.{i + 1}": f"gather.norm{i // 3 + 1}"}
    return names


def selective_kernel(block):
    """Its branches are paths there."""
    names = {"squeeze": "attn.fc_reduce", "norm": "attn.bn", "expand": "attn.fc_select"}
    for i in range(len(block.branches)):
        names |= {f"branches.{i}.0": f"paths.{i}.conv", f"branches.{i}.1": f"paths.{i}.bn"}
    return names


def residual(block):
    """In blocks with selective kernels each convolution and its norm are one layer there."""
    if not getattr(getattr(block, "conv2", None), "normed", False):
        return {"post": "se"}
    return {"conv1": "conv1.conv", "bn1": "conv1.bn", "conv3": "conv3.conv", "bn3": "conv3.bn", "post": "se"}


SOURCE = Source(
    tables={
        "SE": {"mlp.0": "fc1", "mlp.2": "fc2"},
        "ESE": {"conv": "fc"},
        "ECAMLP": {"squeeze": "conv", "conv": "conv2"},
        "CBAM": CBAM,
        "LightCBAM": CBAM,
        "GC": global_context("mlp_scale"),
        "GCA": global_context("mlp_add"),
        "GatherExcite": gather_excite,
        "SK": selective_kernel,
        "Residual": residual,
    },
    # a softmax follows, which no constant changes
    unused=(r"(.*\.)?conv_attn\.bias",),
    companions={r"((?:.*\.)?conv_attn)\.weight": r"\1.bias"},
    # theirs convolves [mean; max], ours [max; mean]
    changes={r"(.*\.)?spatial\.conv\.conv\.weight": lambda weight: weight[:, ::-1]},
)
