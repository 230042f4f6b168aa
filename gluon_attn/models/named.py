"""Backbones whose attention is part of their name: the rows of `variants.NAMED`."""

from dataclasses import replace
from functools import partial

from . import mobilenet_v2, variants  # noqa: F401, they register their networks
from .base import MODELS
from .resnet import imagenet_resnet  # noqa: F401, they register their networks

for _name, (_backbone, _options, _entries) in variants.NAMED.items():
    _model = MODELS.get(_backbone)
    MODELS.register(_name)(
        replace(
            _model, build=partial(_model.build, **_options), entries=_entries, own_plan=True, backbone=_backbone
        )
    )  # fmt: skip
