"""Weights of the reference repositories, timm, torchvision and GluonCV. One file per source: its tensor names."""

from .files import read_weights
from .from_reference import load_reference, match, reference_names, rows, save_match
from .names import sources
from .to_reference import reference_state, save_reference

__all__ = [
    "load_reference",
    "match",
    "read_weights",
    "reference_names",
    "reference_state",
    "rows",
    "save_match",
    "save_reference",
    "sources",
]
