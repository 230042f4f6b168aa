"""Builders of the ResNets for CIFAR: plain ones, and those that papers on attention published.

Each is `build(..., plan, classes, **options) -> HybridBlock`; `models/zoo.py` gives them their names. GluonCV's
`cifar_resnet*` files load as they are. Networks with PyTorch's parameter names have a ReLU in their stem, which
GluonCV's version 1 has not.
"""

from functools import partial
from typing import Any

from ...utils.checks import choice, positive
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
) -> GluonResNet:
    """GluonCV's `cifar_resnet*`: three stages of `count` blocks."""
    return GluonResNet(
        version, kind, [count] * 3, plan, classes, input_size=input_size, drop_rate=drop_rate, last_gamma=last_gamma
    )


def atac(
    plan: Plan,
    classes: int,
    *,
    blocks: int = 3,
    act_type: str = "ChaATAC",
    act_layers: int = 4,
    act_order: str = "bac",
    reduction: int | None = None,
    relu: bool | None = None,
    global_pool: bool | None = None,
    input_size: int = 32,
    drop_rate: float = 0.0,
) -> GluonResNet:
    """Attention as Activation (Dai et al. 2020): version 2 with `blocks` blocks per stage; see `act_plan.act_entry`."""
    blocks = positive("blocks", blocks)
    entry = act_entry(
        act_type, 4, act_layers=act_layers, act_order=act_order,
        reduction=reduction, relu=relu, global_pool=global_pool,
    )  # fmt: skip
    return GluonResNet(2, "basic", [blocks] * 3, Plan([entry]), classes, input_size=input_size, drop_rate=drop_rate)


def torch(
    design: Design, count: int, plan: Plan, classes: int, *, input_size: int = 32, last_gamma: bool = False
) -> TorchResNet:
    """A network with PyTorch's parameter names: three stages of `count` blocks."""
    return TorchResNet(design, [count] * 3, plan, classes, input_size=input_size, last_gamma=last_gamma)


def se(
    count: int, plan: Plan, classes: int, *, reduction: int = 1, input_size: int = 32, last_gamma: bool = False
) -> TorchResNet:
    """ANAS's baseline: squeeze-and-excitation without biases, by default without a narrower hidden layer."""
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
    """ANAS's network: a searched attention, by default the published one, at the end of each branch."""
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
    """DIANet (Huang et al. 2019), https://arxiv.org/abs/1905.10671. Basic blocks run, too; in its code they do not."""
    layers = {"basic": 6, "bottleneck": 9}[choice("block", block, ("basic", "bottleneck"))]
    count, rest = divmod(positive("depth", depth) - 2, layers)
    if rest or count < 1:
        raise UserError(f"depth of {block} blocks must be {layers} n + 2, such as {3 * layers + 2}, got {depth}")
    plan = Plan([{"name": "dia", "shared": True, "options": {"reduction": reduction}}])
    return torch(_small(block), count, plan, classes, input_size=input_size, last_gamma=last_gamma)
