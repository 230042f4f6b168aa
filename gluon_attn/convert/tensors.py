"""Tensors by name, each made when it is asked for, so that a large file is never held twice."""

from collections.abc import Mapping

import numpy as np


class Tensors(Mapping):
    """Name -> NumPy array. loaders: name -> function that gives the array."""

    def __init__(self, loaders):
        self._loaders = dict(loaders)

    def __getitem__(self, name):
        return np.asarray(self._loaders[name]())

    def __iter__(self):
        return iter(self._loaders)

    def __len__(self):
        return len(self._loaders)

    def renamed(self, change):
        """The same tensors with the names that `change` makes of theirs."""
        return Tensors({change(name): loader for name, loader in self._loaders.items()})

    @classmethod
    def of(cls, state):
        """`state`, a mapping of arrays or already `Tensors`, as `Tensors`."""
        return (
            state if isinstance(state, cls) else cls({name: lambda value=value: value for name, value in state.items()})
        )
