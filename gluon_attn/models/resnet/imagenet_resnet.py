"""ResNets for ImageNet, versions 1b and 1d, and with attentional activations.

Version 1d is He et al. 2018, https://arxiv.org/abs/1812.01187: a stem of three 3x3 convolutions, and shortcuts that
average before they convolve. GluonCV's `resnet*_v1b` and `resnet*_v1d` files load as they are. Options make timm's
other ResNets of both.
"""

from functools import partial

from ...utils.checks import positives
from .. import variants
from ..act_plan import act_entry
from ..base import MODELS, Model
from ..plan import Plan
from .resnet import Design, ResNet


def _resnet(
    kind, counts, shortcut, plan, classes, *, blocks=None, widths=Design.widths, stem="large", stem_width=None,
    stem_pool=True, activation="relu", final_width=None, input_size=224, last_gamma=False, drop_rate=0.0,
):  # fmt: skip
    """Options but `blocks`, of each stage (None: those of the name), are `Design`'s and `ResNet`'s."""
    counts = counts if blocks is None else positives("blocks", blocks, len(counts))
    design = Design(
        kind, positives("widths", widths, len(counts)), shortcut=shortcut, stem=stem, stem_width=stem_width,
        stem_pool=stem_pool, activation=activation, final_width=final_width,
    )  # fmt: skip
    return ResNet(
        design, counts, plan, classes, input_size=input_size, last_gamma=last_gamma, drop_rate=drop_rate
    )  # fmt: skip


def _atac_resnet(
    kind, blocks, plan, classes, *, act_type="ChaATAC", act_layers=2, act_order="bac", reduction=None, relu=None,
    global_pool=None, input_size=224, last_gamma=False, drop_rate=0.0,
):  # fmt: skip
    """Dai et al.'s network: version 1b, the activation of the last stages a choice (`models/act_plan.py`)."""
    entry = act_entry(
        act_type, len(blocks), act_layers=act_layers, act_order=act_order,
        reduction=reduction, relu=relu, global_pool=global_pool,
    )  # fmt: skip
    return _resnet(
        kind, blocks, "conv", Plan([entry]), classes, input_size=input_size, last_gamma=last_gamma, drop_rate=drop_rate
    )  # fmt: skip


for _depth, _row in variants.RESNET.items():
    for _version, _shortcut, _stem in (("v1b", "conv", "large"), ("v1d", "average", "deep")):
        MODELS.register(f"resnet{_depth}_{_version}")(
            Model(partial(_resnet, *_row, _shortcut, stem=_stem), 224, stages=4, blocks=_row[1])
        )
# the stem is ImageNet's 7x7 with its pooling, as in the ECA reproduction's CIFAR runs
MODELS.register("cifar_resnet18")(
    Model(partial(_resnet, *variants.RESNET[18], "conv", input_size=32), 32, stages=4, classes=10)
)  # fmt: skip
MODELS.register("atac_resnet50_v1b")(
    Model(partial(_atac_resnet, *variants.RESNET[50]), 224, stages=4, own_plan=True)
)  # fmt: skip
