"""Residual networks with slots for attention.

`layers` has what all of them share. `torch_blocks` and `torch_resnet` are networks with PyTorch's parameter names,
`gluon_blocks` and `gluon_resnet` those with GluonCV's. `cifar` and `imagenet` build the published networks of both.
"""
