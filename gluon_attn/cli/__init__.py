"""The commands, and all argument parsing of the package. Scripts only call a function of this module."""

from .main import main
from .search import search
from .train import train_cifar, train_coco, train_imagenet

__all__ = ["main", "search", "train_cifar", "train_coco", "train_imagenet"]
