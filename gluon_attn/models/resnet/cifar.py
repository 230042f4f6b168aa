"""Builders of the ResNets for CIFAR: plain ones, and those that papers on attention published.

Each is `build(..., plan, classes, **options) -> HybridBlock`; `models/zoo.py` gives them their names. GluonCV's
`cifar_resnet*` files load as they are. Networks with PyTorch's parameter names have a ReLU in their stem, which
GluonCV's version 1 has not.

The builders share these arguments:

    plan: which attention is in which slot; the builders of a published network make their own.
    classes: number of outputs.
    input_size: H, for modules that need it (default 32).
    drop_rate: dropout probability (default 0), see the class of the network.
    last_gamma: the scale of each block's last norm starts at 0 (default False).
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from ...utils.checks import choice, positive, positives
from ...utils.errors import UserError
from ..act_plan import act_entry
from ..plan import Plan
from .design import Design
from .gluon_resnet import GluonResNet
from .torch_resnet import TorchResNet

_small = partial(Design, widths=(16, 32, 64), stem="small")
#: shortcuts without weights (He et al. 2015), as in the ECA reproduction
OPTION_A = _small(shortcut="pad", head="linear")
#: shortcuts with a 1x1 convolution, as in ANAS and DIANet
OPTION_B = _small()


def gluon(
    version: int,
    kind: str,
    count: int,
    plan: Plan,
    classes: int,
    *,
    input_size: int = 32,
    drop_rate: float = 0.0,
    last_gamma: bool = False,
    channels: Sequence[int] | None = None,
    early_shortcut: bool | None = None,
    input_norm: bool = True,
    stem_norm: bool | None = None,
    end_norm: bool = False,
) -> GluonResNet:
    """GluonCV's `cifar_resnet*` and `cifar_wideresnet*`.

    Args:
        version: 1 or 2.
        kind: "basic" or "bottleneck" blocks.
        count: number of blocks in each of the three stages.
        plan, classes, input_size, drop_rate, last_gamma: see the module's docstring.
        channels, early_shortcut, input_norm, stem_norm, end_norm: as of `GluonResNet`.
    """
    return GluonResNet(
        version, kind, [count] * 3, plan, classes, input_size=input_size, drop_rate=drop_rate, last_gamma=last_gamma,
        channels=channels, early_shortcut=early_shortcut, input_norm=input_norm, stem_norm=stem_norm,
        end_norm=end_norm,
    )  # fmt: skip


def atac(
    plan: Plan,
    classes: int,
    *,
    blocks: int | Sequence[int] = 3,
    channels: Sequence[int] | None = None,
    act_type: str = "ChaATAC",
    act_layers: int = 4,
    act_order: str = "bac",
    reduction: int | None = None,
    relu: bool | None = None,
    global_pool: bool | None = None,
    input_size: int = 32,
    drop_rate: float = 0.0,
) -> GluonResNet:
    """Version 2 with attentional activations: Attention as Activation, Dai et al. 2020.

    Args:
        plan, classes, input_size, drop_rate: see the module's docstring.
        blocks: number of blocks in each of the three stages, one number for all or three (default 3).
        channels: as of `GluonResNet`.
        act_type, act_layers, act_order, reduction, relu, global_pool: as of `act_plan.act_entry`.

    Raises:
        UserError: an option is wrong.
    """
    counts = [positive("blocks", blocks)] * 3 if isinstance(blocks, int) else positives("blocks", blocks, 3)
    entry = act_entry(
        act_type, 4, act_layers=act_layers, act_order=act_order,
        reduction=reduction, relu=relu, global_pool=global_pool,
    )  # fmt: skip
    return GluonResNet(
        2, "basic", counts, Plan([entry]), classes, channels=channels, input_size=input_size, drop_rate=drop_rate
    )  # fmt: skip


def torch(
    design: Design, count: int, plan: Plan, classes: int, *, input_size: int = 32, last_gamma: bool = False
) -> TorchResNet:
    """A network with PyTorch's parameter names.

    Args:
        design: the options of its layers.
        count: number of blocks in each of the three stages.
        plan, classes, input_size, last_gamma: see the module's docstring.
    """
    return TorchResNet(design, [count] * 3, plan, classes, input_size=input_size, last_gamma=last_gamma)


def resnext(
    groups: int,
    base_width: int,
    widths: tuple[int, ...],
    stem: int,
    count: int,
    plan: Plan,
    classes: int,
    *,
    input_size: int = 32,
    last_gamma: bool = False,
) -> TorchResNet:
    """A ResNeXt.

    Args:
        groups, base_width, widths: as of `Design`.
        stem: channels of the stem.
        count: number of blocks in each of the three stages.
        plan, classes, input_size, last_gamma: see the module's docstring.
    """
    design = Design("bottleneck", widths, groups, base_width, stem="small", stem_width=stem)
    return torch(design, count, plan, classes, input_size=input_size, last_gamma=last_gamma)


def se(
    count: int, plan: Plan, classes: int, *, reduction: int = 1, input_size: int = 32, last_gamma: bool = False
) -> TorchResNet:
    """ANAS's baseline: squeeze-and-excitation without biases in each block.

    Args:
        count: number of blocks in each of the three stages.
        plan, classes, input_size, last_gamma: see the module's docstring.
        reduction: channels over the width of the hidden layer (default 1).
    """
    plan = Plan([{"name": "se", "options": {"reduction": reduction, "bias": False}}])
    return torch(OPTION_B, count, plan, classes, input_size=input_size, last_gamma=last_gamma)


def anas(
    count: int,
    plan: Plan,
    classes: int,
    *,
    genotype: Any = "ATTENTION",
    input_size: int = 32,
    last_gamma: bool = False,
) -> TorchResNet:
    """ANAS's network: a searched attention at the end of each residual branch.

    Args:
        count: number of blocks in each of the three stages.
        plan, classes, input_size, last_gamma: see the module's docstring.
        genotype: of the attention: a published name (default "ATTENTION", ANAS's), plain data, `AttGenotype(...)` as
            text, or a file that holds one.
    """
    plan = Plan([{"name": "anas", "options": {"genotype": genotype}}])
    return torch(OPTION_B, count, plan, classes, input_size=input_size, last_gamma=last_gamma)


def dia(
    plan: Plan,
    classes: int,
    *,
    depth: int = 164,
    block: str = "bottleneck",
    reduction: int = 4,
    input_size: int = 32,
    last_gamma: bool = False,
) -> TorchResNet:
    """DIANet: one DIA module per stage, Huang et al. 2019, https://arxiv.org/abs/1905.10671

    Args:
        plan, classes, input_size, last_gamma: see the module's docstring.
        depth: number of layers, 9 n + 2 with bottlenecks (default 164), 6 n + 2 with basic blocks.
        block: "bottleneck" (default) or "basic"; the authors' code fails with basic blocks.
        reduction: of the DIA modules (default 4).

    Raises:
        UserError: an option is wrong.
    """
    layers = {"basic": 6, "bottleneck": 9}[choice("block", block, ("basic", "bottleneck"))]
    count, rest = divmod(positive("depth", depth) - 2, layers)
    if rest or count < 1:
        raise UserError(f"depth of {block} blocks must be {layers} n + 2, such as {3 * layers + 2}, got {depth}")
    plan = Plan([{"name": "dia", "shared": True, "options": {"reduction": reduction}}])
    return torch(_small(block), count, plan, classes, input_size=input_size, last_gamma=last_gamma)
