"""Searches for architectures and for where attention sits."""
