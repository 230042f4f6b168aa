"""Whose weight files each named network takes, for lists: no network is made for it."""

from fnmatch import fnmatchcase

#: pattern of names -> sources; a network has those of all patterns that it matches
_ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cifar_resnet*_v[12]", ("gluoncv",)),
    ("cifar_resnet18", ("timm", "torchvision")),
    ("resnet*_v[12]", ("gluoncv",)),
    ("resnet*_v1b", ("gluoncv", "timm", "torchvision")),
    ("resnet*_v1d", ("gluoncv", "timm")),
    ("mobilenet_v2", ("gluoncv", "torchvision")),
    ("cifar_resnext29_*", ("gluoncv",)),
    ("cifar_wideresnet[124][068]_*", ("gluoncv",)),
    ("resnext*_*d", ("timm",)),
    ("resnext*[24]x4d", ("gluoncv",)),
    ("resnext50_*", ("torchvision",)),
    ("resnext101_64x4d", ("torchvision",)),
    ("resnext101_32x8d", ("torchvision",)),
    ("wide_resnet*", ("timm", "torchvision")),
    ("se_resnext*", ("gluoncv", "timm")),
    ("senet_154", ("gluoncv", "timm")),
    ("mobilenet_v3_*", ("torchvision",)),
    ("mobilenetv3_*", ("gluoncv",)),
    ("efficientnet_b*", ("timm", "torchvision")),
    ("regnety_*", ("timm", "torchvision")),
    ("mixnet_s", ("timm",)),
    ("resnest*", ("gluoncv", "timm")),
    ("skresn*", ("timm",)),
    ("botnet*", ("timm",)),
    ("halonet*", ("timm",)),
    ("lambda_resnet*", ("timm",)),
    ("*resnext[25][60]ts", ("timm",)),
    ("eca_resnet*", ("ecanet",)),
    ("eca_resnet*[0-9]", ("timm",)),
    ("eca_mobilenet_v2*", ("ecanet",)),
    ("se_resnet*", ("ecanet",)),
    ("se_resnet[15][05]*", ("timm",)),  # whose hidden layers are as wide there
    ("anas_resnet*", ("anas",)),
    ("se_cifar_resnet*", ("anas",)),
    ("darts_*", ("att-darts",)),
    ("att_darts_*", ("att-darts",)),
    ("dia_cifar_*", ("ean",)),
    ("*_fbresnet50", ("ean",)),
    ("atac_*", ("open-atac",)),
)


def weight_sources(name: str) -> list[str]:
    """Whose weight files a network takes with its defaults: libraries and the repositories of papers.

    Args:
        name: of the model.

    Returns:
        Sources as `sources` names them, sorted; none for a plugin's model.
    """
    return sorted({source for pattern, found in _ROWS if fnmatchcase(name, pattern) for source in found})
