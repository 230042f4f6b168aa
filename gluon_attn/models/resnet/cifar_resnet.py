"""CIFAR ResNets, versions 1 and 2, and the attentional ones made of them.

See `gluon_resnet.py`; GluonCV's `cifar_resnet*` files load as they are.
"""

from functools import partial

from ...utils.checks import positive
from .. import variants
from ..act_plan import act_entry
from ..base import MODELS, Model
from ..plan import Plan
from .gluon_resnet import GluonResNet


def _cifar_resnet(version, kind, count, plan, classes, *, input_size=32, drop_rate=0.0, last_gamma=False):
    return GluonResNet(
        version, kind, [count] * 3, plan, classes,
        input_size=input_size, drop_rate=drop_rate, last_gamma=last_gamma,
    )  # fmt: skip


def _atac_cifar_resnet(
    plan, classes, *, blocks=3, act_type="ChaATAC", act_layers=4, act_order="bac", reduction=None, relu=None,
    global_pool=None, input_size=32, drop_rate=0.0,
):  # fmt: skip
    """Dai et al.'s network: version 2, `blocks` blocks a stage, the activation a choice (`models/act_plan.py`)."""
    blocks = positive("blocks", blocks)
    entry = act_entry(
        act_type, 4, act_layers=act_layers, act_order=act_order,
        reduction=reduction, relu=relu, global_pool=global_pool,
    )  # fmt: skip
    return GluonResNet(2, "basic", [blocks] * 3, Plan([entry]), classes, input_size=input_size, drop_rate=drop_rate)


for _depth, (_kind, _count) in variants.CIFAR_RESNET.items():
    for _version in (1, 2):
        MODELS.register(f"cifar_resnet{_depth}_v{_version}")(
            Model(
                partial(_cifar_resnet, _version, _kind, _count),
                32,
                stages=3,
                head=_version == 2,
                classes=10,
                blocks=(_count,) * 3,
            )
        )
MODELS.register("atac_cifar_resnet", "atac")(
    Model(_atac_cifar_resnet, 32, stages=3, head=True, classes=10, own_plan=True)
)
