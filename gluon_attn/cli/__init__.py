"""The commands, and all argument parsing of the package. Scripts only call a function of this module."""

from .main import main
from .train import train_cifar, train_imagenet

__all__ = ["main", "train_cifar", "train_imagenet"]
