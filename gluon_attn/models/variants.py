"""Depths and widths as rows of data; what a row means stands in the file of its family."""

#: CIFAR ResNets: depth -> (block, blocks a stage). Three stages of 16, 32, 64 channels (bottlenecks: 4 times that).
CIFAR_RESNET = {
    20: ("basic", 3),
    32: ("basic", 5),
    44: ("basic", 7),
    56: ("basic", 9),
    110: ("basic", 18),
    164: ("bottleneck", 18),
}
