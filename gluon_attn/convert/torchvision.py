"""pytorch/vision (torchvision): its ResNets and its MobileNetV2, whose layers are called as ours."""

from .names import Source

SOURCE = Source(tables={})
