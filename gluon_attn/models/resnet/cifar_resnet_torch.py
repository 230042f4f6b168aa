"""CIFAR ResNets with PyTorch's parameter names: plain ones with slots, and those that papers on attention published.

Unlike `cifar_resnet*_v1` they have a ReLU in their stem. `cifar_resnet*_a` has shortcuts without weights (option A of
He et al. 2015, the ECA reproduction's networks), `cifar_resnet*_b` convolutions (option B, ANAS and DIANet).
"""

from functools import partial

from ...utils.checks import choice, positive
from ...utils.errors import UserError
from .. import variants
from ..base import MODELS, Model
from ..plan import Plan
from .resnet import Design, ResNet

_small = partial(Design, widths=(16, 32, 64), stem="small")
OPTION_A = _small(shortcut="pad", head="linear")
OPTION_B = _small()


def _plain(design, count, plan, classes, *, input_size=32, last_gamma=False):
    return ResNet(design, [count] * 3, plan, classes, input_size=input_size, last_gamma=last_gamma)


def _se_cifar_resnet(count, plan, classes, *, reduction=1, input_size=32, last_gamma=False):
    """ANAS's baseline: squeeze-and-excitation without biases, by default without a bottleneck either."""
    plan = Plan([{"name": "se", "options": {"reduction": reduction, "bias": False}}])
    return _plain(OPTION_B, count, plan, classes, input_size=input_size, last_gamma=last_gamma)


def _anas_resnet(count, plan, classes, *, genotype="ATTENTION", input_size=32, last_gamma=False):
    """ANAS's network: a searched cell, by default the published one, ends each branch."""
    plan = Plan([{"name": "anas", "options": {"genotype": genotype}}])
    return _plain(OPTION_B, count, plan, classes, input_size=input_size, last_gamma=last_gamma)


def _dia_cifar_resnet(
    plan, classes, *, depth=164, block="bottleneck", reduction=4, input_size=32, last_gamma=False
):  # fmt: skip
    """DIANet's network, https://arxiv.org/abs/1905.10671; its code's basic blocks do not run, ours do."""
    layers = {"basic": 6, "bottleneck": 9}[choice("block", block, ("basic", "bottleneck"))]
    count, rest = divmod(positive("depth", depth) - 2, layers)
    if rest or count < 1:
        raise UserError(f"depth of {block} blocks must be {layers} n + 2, such as {3 * layers + 2}, got {depth}")
    plan = Plan([{"name": "dia", "shared": True, "options": {"reduction": reduction}}])
    return _plain(_small(block), count, plan, classes, input_size=input_size, last_gamma=last_gamma)


def _register(name, build, own_plan=False):
    MODELS.register(name)(Model(build, 32, stages=3, classes=10, own_plan=own_plan))


_register("dia_cifar_resnet", _dia_cifar_resnet, own_plan=True)
for _depth, (_kind, _count) in variants.CIFAR_RESNET.items():
    if _kind == "basic":
        _register(f"cifar_resnet{_depth}_a", partial(_plain, OPTION_A, _count))
        _register(f"cifar_resnet{_depth}_b", partial(_plain, OPTION_B, _count))
        _register(f"se_cifar_resnet{_depth}", partial(_se_cifar_resnet, _count), own_plan=True)
        _register(f"anas_resnet{_depth}", partial(_anas_resnet, _count), own_plan=True)
