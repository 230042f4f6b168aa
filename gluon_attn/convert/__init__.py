"""Weights of the reference repositories and of timm. One file a source: what it calls the parts of our blocks."""

from .load import load_reference, reference_names, sources

__all__ = ["load_reference", "reference_names", "sources"]
