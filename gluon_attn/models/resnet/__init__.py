"""Residual networks: blocks, stems, and the families of CIFAR and ImageNet."""
