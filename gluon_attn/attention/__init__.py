"""Attention modules, one idea a file. `factory` makes them by name; no file here imports another's idea."""
