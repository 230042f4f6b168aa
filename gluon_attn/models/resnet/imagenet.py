"""Builders of the ResNets for ImageNet: versions 1, 1b, 1d and 2, attentional activations, EAN's networks.

Each is `build(..., plan, classes, **options) -> HybridBlock`; `models/zoo.py` gives them their names. GluonCV's
`resnet*_v1`, `_v1b`, `_v1d` and `_v2` files load as they are.

The builders share these arguments:

    plan: which attention is in which slot; the builders of a published network make their own.
    classes: number of outputs.
    input_size: H, for modules that need it (default 224).
    drop_rate: dropout probability (default 0), see the class of the network.
    last_gamma: the scale of each block's last norm starts at 0 (default False).
"""

from collections.abc import Sequence
from typing import Any

from ...utils.checks import positives, switch
from .. import variants
from ..act_plan import act_entry
from ..plan import Plan
from .design import Design
from .gluon_resnet import GluonResNet
from .torch_resnet import TorchResNet

#: ResNet-50 with biases in its convolutions, as in EAN's experiments
FBRESNET_KIND, FBRESNET_BLOCKS = variants.RESNET[50]
FBRESNET = Design(FBRESNET_KIND, bias=True, head="last_linear")


def gluon(
    version: int,
    kind: str,
    blocks: Sequence[int],
    plan: Plan,
    classes: int,
    *,
    input_size: int = 224,
    drop_rate: float = 0.0,
    last_gamma: bool = False,
) -> GluonResNet:
    """GluonCV's `resnet*_v1` and `resnet*_v2`.

    Args:
        version: 1 or 2.
        kind: "basic" or "bottleneck" blocks.
        blocks: number of blocks in each stage.
        plan, classes, input_size, drop_rate, last_gamma: see the module's docstring.
    """
    return GluonResNet(
        version, kind, blocks, plan, classes,
        large=True, input_size=input_size, drop_rate=drop_rate, last_gamma=last_gamma,
    )  # fmt: skip


def torch(
    kind: str,
    counts: Sequence[int],
    shortcut: str,
    plan: Plan,
    classes: int,
    *,
    blocks: Sequence[int] | None = None,
    widths: Sequence[int] = Design.widths,
    groups: int = 1,
    base_width: int = 64,
    group_size: int | None = None,
    reduce_first: int = 1,
    avg_down: bool | None = None,
    shortcut_kernel: int = 1,
    dilated: bool = False,
    stem: str = "large",
    stem_width: int | None = None,
    stem_pool: bool = True,
    stem_pad: bool = True,
    activation: str = "relu",
    final_width: int | None = None,
    input_size: int = 224,
    last_gamma: bool = False,
    drop_rate: float = 0.0,
) -> TorchResNet:
    """Versions 1b and 1d, and timm's other ResNets by options.

    Version 1d (He et al. 2018, https://arxiv.org/abs/1812.01187) has a stem of three 3x3 convolutions, and shortcuts
    with average pooling before the convolution.

    Args:
        kind: "basic" or "bottleneck" blocks.
        counts: number of blocks in each stage.
        shortcut: as of `Design`.
        plan, classes, input_size, last_gamma, drop_rate: see the module's docstring.
        blocks: number of blocks in each stage, in place of `counts` (default None: `counts`).
        widths, groups, base_width, group_size, reduce_first, shortcut_kernel, stem, stem_width, stem_pool, stem_pad,
            activation, final_width, dilated: as of `Design`.
        avg_down: shortcuts with average pooling before the convolution, or without (default None: as of `shortcut`).

    Raises:
        UserError: an option is wrong.
    """
    if avg_down is not None:
        shortcut = "average" if switch("avg_down", avg_down) else "conv"
    counts = counts if blocks is None else positives("blocks", blocks, len(counts))
    design = Design(
        kind, positives("widths", widths, len(counts)), groups, base_width, group_size, reduce_first,
        shortcut=shortcut, shortcut_kernel=shortcut_kernel, dilated=dilated, stem=stem, stem_width=stem_width,
        stem_pool=stem_pool, stem_pad=stem_pad, activation=activation, final_width=final_width,
    )  # fmt: skip
    return TorchResNet(
        design, counts, plan, classes, input_size=input_size, last_gamma=last_gamma, drop_rate=drop_rate
    )  # fmt: skip


def atac(
    kind: str,
    counts: Sequence[int],
    plan: Plan,
    classes: int,
    *,
    act_type: str = "ChaATAC",
    act_layers: int = 2,
    act_order: str = "bac",
    reduction: int | None = None,
    relu: bool | None = None,
    global_pool: bool | None = None,
    blocks: Sequence[int] | None = None,
    avg_down: bool | None = None,
    dilated: bool = False,
    stem: str = "large",
    stem_width: int | None = None,
    input_size: int = 224,
    last_gamma: bool = False,
    drop_rate: float = 0.0,
) -> TorchResNet:
    """Version 1b with attentional activations: Attention as Activation, Dai et al. 2020.

    Args:
        kind: "basic" or "bottleneck" blocks.
        counts: number of blocks in each stage.
        plan, classes, input_size, last_gamma, drop_rate: see the module's docstring.
        act_type, act_layers, act_order, reduction, relu, global_pool: as of `act_plan.act_entry`.
        blocks, avg_down, dilated, stem, stem_width: as of `torch`.

    Raises:
        UserError: an option is wrong.
    """
    entry = act_entry(
        act_type, len(counts), act_layers=act_layers, act_order=act_order,
        reduction=reduction, relu=relu, global_pool=global_pool,
    )  # fmt: skip
    return torch(
        kind, counts, "conv", Plan([entry]), classes, blocks=blocks, avg_down=avg_down, dilated=dilated, stem=stem,
        stem_width=stem_width, input_size=input_size, last_gamma=last_gamma, drop_rate=drop_rate,
    )  # fmt: skip


def fbresnet(plan: Plan, classes: int, *, input_size: int = 224, last_gamma: bool = False) -> TorchResNet:
    """ResNet-50 with biases in its convolutions.

    Args:
        plan, classes, input_size, last_gamma: see the module's docstring.
    """
    return TorchResNet(FBRESNET, FBRESNET_BLOCKS, plan, classes, input_size=input_size, last_gamma=last_gamma)


def dia_fbresnet(
    plan: Plan,
    classes: int,
    *,
    scheme: str | None = None,
    reduction: int = 20,
    input_size: int = 224,
    last_gamma: bool = False,
) -> TorchResNet:
    """`fbresnet` with one DIA module per stage, as in EAN: Huang et al. 2020, https://arxiv.org/abs/2011.14058

    Args:
        plan, classes, input_size, last_gamma: see the module's docstring.
        scheme: one 0 or 1 for each of the 16 blocks; 0: the block skips the module (default None: all have it). The
            paper found 1100011110010011 for DIA and 1001011010011011 for SGE.
        reduction: of the DIA modules (default 20).
    """
    plan = _shared("dia", scheme, reduction=reduction)
    return fbresnet(plan, classes, input_size=input_size, last_gamma=last_gamma)


def se_fbresnet(
    plan: Plan,
    classes: int,
    *,
    scheme: str | None = None,
    reduction: int = 16,
    input_size: int = 224,
    last_gamma: bool = False,
) -> TorchResNet:
    """`fbresnet` with one squeeze-and-excitation module per stage.

    Args:
        plan, classes, scheme, input_size, last_gamma: as of `dia_fbresnet`.
        reduction: channels over the width of the hidden layer (default 16).
    """
    plan = _shared("se", scheme, reduction=reduction)
    return fbresnet(plan, classes, input_size=input_size, last_gamma=last_gamma)


def sge_fbresnet(
    plan: Plan,
    classes: int,
    *,
    scheme: str | None = None,
    variant: str = "paper",
    input_size: int = 224,
    last_gamma: bool = False,
) -> TorchResNet:
    """`fbresnet` with one SGE module per stage.

    Args:
        plan, classes, scheme, input_size, last_gamma: as of `dia_fbresnet`.
        variant: "paper" (default) or "reference", see `SGE`.
    """
    plan = _shared("sge", scheme, groups=64, variant=variant)
    return fbresnet(plan, classes, input_size=input_size, last_gamma=last_gamma)


def _shared(name: str, scheme: str | None, **options: Any) -> Plan:
    return Plan([{"name": name, "shared": True, "scheme": scheme, "options": options}])
