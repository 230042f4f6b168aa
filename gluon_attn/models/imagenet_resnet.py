"""ResNets for ImageNet, versions 1b and 1d, and with attentional activations.

Version 1d is He et al. 2018, https://arxiv.org/abs/1812.01187: a stem of three 3x3 convolutions, and shortcuts that
average before they convolve. GluonCV's `resnet*_v1b` and `resnet*_v1d` files load as they are.
"""

from functools import partial

from . import variants
from .atac import act_entry
from .base import MODELS, Model
from .plan import Plan
from .resnet import Design, ResNet


def _v1b(kind, blocks, plan, classes, *, input_size=224, last_gamma=False, drop_rate=0.0):
    return ResNet(
        Design(kind), blocks, plan, classes, input_size=input_size, last_gamma=last_gamma, drop_rate=drop_rate
    )  # fmt: skip


def _v1d(kind, blocks, plan, classes, *, input_size=224, last_gamma=False, drop_rate=0.0, stem_width=32):
    design = Design(kind, shortcut="average", stem="deep", stem_width=stem_width)
    return ResNet(
        design, blocks, plan, classes, input_size=input_size, last_gamma=last_gamma, drop_rate=drop_rate
    )  # fmt: skip


def _atac_resnet(
    kind, blocks, plan, classes, *, act_type="ChaATAC", act_layers=2, act_order="bac", reduction=None, relu=None,
    global_pool=None, input_size=224, last_gamma=False, drop_rate=0.0,
):  # fmt: skip
    """Dai et al.'s network: version 1b, the activation of the last stages a choice (`models/atac.py`)."""
    entry = act_entry(
        act_type, len(blocks), act_layers=act_layers, act_order=act_order,
        reduction=reduction, relu=relu, global_pool=global_pool,
    )  # fmt: skip
    return _v1b(
        kind, blocks, Plan([entry]), classes, input_size=input_size, last_gamma=last_gamma, drop_rate=drop_rate
    )  # fmt: skip


for _depth, _row in variants.RESNET.items():
    MODELS.register(f"resnet{_depth}_v1b")(Model(partial(_v1b, *_row), 224, stages=4, blocks=_row[1]))
    MODELS.register(f"resnet{_depth}_v1d")(Model(partial(_v1d, *_row), 224, stages=4, blocks=_row[1]))
# the stem is ImageNet's 7x7 with its pooling, as in the ECA reproduction's CIFAR runs
MODELS.register("cifar_resnet18")(
    Model(partial(_v1b, *variants.RESNET[18], input_size=32), 32, stages=4, classes=10)
)  # fmt: skip
MODELS.register("atac_resnet50_v1b")(
    Model(partial(_atac_resnet, *variants.RESNET[50]), 224, stages=4, own_plan=True)
)  # fmt: skip
