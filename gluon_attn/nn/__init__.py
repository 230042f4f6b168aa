"""Layers and functions that two or more attentions or models use. Imports only `utils`, `registry` and `config`."""
