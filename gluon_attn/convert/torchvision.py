"""Names of pytorch/vision (torchvision): its ResNets and its MobileNetV2 have our names."""

from .names import NameMap

NAME_MAP = NameMap(tables={})
