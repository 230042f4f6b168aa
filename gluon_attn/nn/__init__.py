"""Pieces that several modules use."""
