"""Every model by name: all models are registered here.

A row is name -> `Model`: the builder with the arguments that the name fixes, and what is known of the network. Depths,
widths and plan entries are the rows of `variants.py`; the builders' options are the models' options.
"""

from dataclasses import replace
from functools import partial

from . import cell_network, mobile, mobile_rows, variants
from .base import MODELS, Model
from .mobilenet_v2 import MobileNetV2
from .regnet import RegNet
from .resnet import cifar, imagenet

_Rows = dict[str, Model]
_cifar = partial(Model, input_size=32, stages=3, classes=10)
_imagenet = partial(Model, input_size=224, stages=4)

_GLUON_CIFAR: _Rows = {
    f"cifar_resnet{depth}_v{version}": _cifar(
        partial(cifar.gluon, version, kind, count), head=version == 2, blocks=(count,) * 3
    )
    for depth, (kind, count) in variants.CIFAR_RESNET.items()
    for version in (1, 2)
}
_TORCH_CIFAR: _Rows = {
    name.format(depth): _cifar(partial(build, count), own_plan=bool(own), own=own)
    for depth, (kind, count) in variants.CIFAR_RESNET.items()
    if kind == "basic"
    for name, build, own in (
        ("cifar_resnet{}_a", partial(cifar.torch, cifar.OPTION_A), ()),
        ("cifar_resnet{}_b", partial(cifar.torch, cifar.OPTION_B), ()),
        ("se_cifar_resnet{}", cifar.se, ("se",)),
        ("anas_resnet{}", cifar.anas, ("anas",)),
    )
}
_WIDE_CIFAR: _Rows = {
    f"cifar_wideresnet{depth}_{times}": _cifar(
        partial(
            cifar.gluon, 2, "basic", (depth - 4) // 6, early_shortcut=True, stem_norm=True,
            channels=(16, 16 * times, 32 * times, 64 * times),
        ),
        head=True, blocks=((depth - 4) // 6,) * 3,
    )
    for depth, times in variants.CIFAR_WIDE
}  # fmt: skip
_RESNEXT_CIFAR: _Rows = {
    name: _cifar(partial(cifar.resnext, *row), blocks=(row[-1],) * 3) for name, row in variants.CIFAR_RESNEXT.items()
}
_OTHER_CIFAR: _Rows = {
    "atac_cifar_resnet": _cifar(cifar.atac, head=True, own_plan=True, own=("cha_atac",)),
    "dia_cifar_resnet": _cifar(cifar.dia, own_plan=True, own=("dia",)),
    # the stem of ImageNet, a 7x7 convolution and pooling, as in the ECA reproduction's runs on CIFAR
    "cifar_resnet18": _cifar(
        partial(imagenet.torch, *variants.RESNET[18], "conv", input_size=32), stages=4
    ),
}  # fmt: skip

_GLUON_IMAGENET: _Rows = {
    f"resnet{depth}_v{version}": _imagenet(
        partial(imagenet.gluon, version, kind, blocks), head=version == 2, blocks=blocks
    )
    for depth, (kind, blocks) in variants.RESNET.items()
    for version in (1, 2)
}
_TORCH_IMAGENET: _Rows = {
    f"resnet{depth}_{version}": _imagenet(partial(imagenet.torch, kind, blocks, shortcut, stem=stem), blocks=blocks)
    for depth, (kind, blocks) in variants.RESNET.items()
    for version, shortcut, stem in (("v1b", "conv", "large"), ("v1d", "average", "deep"))
}
_GROUPED: _Rows = {
    name: _imagenet(
        partial(imagenet.torch, *variants.RESNET[depth], "conv", groups=groups, base_width=width),
        blocks=variants.RESNET[depth][1],
    )
    for name, (depth, groups, width) in variants.GROUPED.items()
}
_OTHER_IMAGENET: _Rows = {
    "atac_resnet50_v1b": _imagenet(partial(imagenet.atac, *variants.RESNET[50]), own_plan=True, own=("cha_atac",)),
    "fbresnet50": _imagenet(imagenet.fbresnet, blocks=imagenet.FBRESNET_BLOCKS),
    "dia_fbresnet50": _imagenet(imagenet.dia_fbresnet, own_plan=True, own=("dia",), blocks=imagenet.FBRESNET_BLOCKS),
    "se_fbresnet50": _imagenet(imagenet.se_fbresnet, own_plan=True, own=("se",), blocks=imagenet.FBRESNET_BLOCKS),
    "sge_fbresnet50": _imagenet(imagenet.sge_fbresnet, own_plan=True, own=("sge",), blocks=imagenet.FBRESNET_BLOCKS),
    "mobilenet_v2": _imagenet(MobileNetV2, stages=len(variants.MOBILENET_V2)),
}

#: networks with an attention by default, in whose place they take another
_MOBILE: _Rows = {
    **{
        f"mobilenet_v3_{kind}": _imagenet(
            partial(mobile.mobilenet_v3, kind, last=last),
            stages=len(mobile_rows.MOBILENET_V3[kind]),
            entries=mobile_rows.hard_entries(kind),
        )
        for kind, last in (("large", 1280), ("small", 1024))
    },
    # GluonCV's
    **{
        f"mobilenetv3_{kind}": _imagenet(
            partial(mobile.mobilenet_v3, kind, last=1280, last_bias=False, epsilon=1e-5, rounding="up"),
            stages=len(mobile_rows.MOBILENET_V3[kind]),
            entries=mobile_rows.hard_entries(kind, "up"),
        )
        for kind in ("large", "small")
    },
    **{
        f"efficientnet_{name}": Model(
            partial(mobile.efficientnet, width=width, depth=depth, input_size=size, drop_rate=drop),
            input_size=size,
            stages=len(mobile_rows.EFFICIENTNET),
            entries=mobile_rows.EFFICIENTNET_SE,
        )
        for name, (width, depth, size, drop) in mobile_rows.EFFICIENTNETS.items()
    },
    **{
        f"regnety_{name}": _imagenet(
            partial(RegNet, widths=widths, blocks=blocks, group_width=width),
            stages=4,
            blocks=blocks,
            entries=mobile_rows.REGNETY_SE,
        )
        for name, (widths, blocks, width) in mobile_rows.REGNETY.items()
    },
    "mixnet_s": _imagenet(partial(mobile.mixnet, "small"), stages=6, entries=mobile_rows.MIXNET_SE),
}

#: networks of searched cells, with the sizes of the published ones
_cifar_cells = partial(cell_network.build, False, channels=36, layers=20, input_size=32)
_imagenet_cells = partial(cell_network.build, True, channels=48, layers=14, input_size=224)
_ATT_DARTS = ("a2", "bam", "cbam")  # the attentions of its genotype
_CELLS: _Rows = {
    "darts_cifar": _cifar(_cifar_cells, own_plan=True),
    "darts_v2_cifar": _cifar(_cifar_cells, own_plan=True),
    "att_darts_cifar": _cifar(partial(_cifar_cells, genotype="Att_DARTS"), own_plan=True, own=_ATT_DARTS),
    "darts_imagenet": _imagenet(_imagenet_cells, stages=3, own_plan=True),
    "att_darts_imagenet": _imagenet(
        partial(_imagenet_cells, genotype="Att_DARTS"), stages=3, own_plan=True, own=_ATT_DARTS
    ),
}

#: other names of a model: timm's, torchvision's, open-atac's and EAN's
_ALIASES = {
    **{f"regnety_{name}": (f"regnet_y_{name}",) for name in mobile_rows.REGNETY},
    "botnet26t": ("botnet26t_256",),
    "botnet50ts": ("botnet50t", "botnet50ts_256"),
    "cifar_resnext29_16x64d": ("cifar_resnet29_16x64d",),
    "cifar_resnext29_32x4d": ("cifar_resnet29_32x4d",),
    "atac_cifar_resnet": ("atac",),
    "dia_fbresnet50": ("forward_dia_fbresnet50",),
    "se_fbresnet50": ("forward_config_share_se_resnet50",),
    "sge_fbresnet50": ("forward_config_share_sge_resnet50",),
}


def _register(rows: _Rows) -> None:
    for name, model in rows.items():
        MODELS.register(name, *_ALIASES.get(name, ()))(model)


def _named(backbones: _Rows) -> _Rows:
    """Models whose attention is part of their name, made from their backbones."""
    rows = {}
    for name, (backbone, options, entries) in variants.NAMED.items():
        model = backbones[backbone]
        build = partial(model.build, **options)
        rows[name] = replace(
            model, build=build, entries=entries, own_plan=True, backbone=backbone, preset=options,
            blocks=options.get("blocks", model.blocks), input_size=options.get("input_size", model.input_size),
        )  # fmt: skip
    return rows


_PLAIN: _Rows = {
    **_CELLS, **_GLUON_CIFAR, **_TORCH_CIFAR, **_WIDE_CIFAR, **_RESNEXT_CIFAR, **_OTHER_CIFAR, **_GLUON_IMAGENET,
    **_TORCH_IMAGENET, **_GROUPED, **_OTHER_IMAGENET, **_MOBILE,
}  # fmt: skip
_register(_PLAIN)
_register(_named(_PLAIN))  # not looked up in the registry, which would load plugins in the middle of this import
