"""Published parameter files of named models."""

from ..nn.params import load_params, save_params
from ..utils.errors import UserError

__all__ = ["load_params", "pretrained_path", "save_params"]


def pretrained_path(name):
    """The published parameter file of a model. None has been published yet."""
    raise UserError(f"there are no published parameters of {name!r}; give the path of a parameter file instead")
