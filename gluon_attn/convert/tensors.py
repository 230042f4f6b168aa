"""Tensors by name, each made on access, so that a large file is never in memory twice."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np


class Tensors(Mapping[str, np.ndarray]):
    """Name -> array.

    Args:
        loaders: name -> function that gives the array.
    """

    def __init__(self, loaders: Mapping[str, Callable[[], Any]]):
        self._loaders = dict(loaders)

    def __getitem__(self, name: str) -> np.ndarray:
        return np.asarray(self._loaders[name]())

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaders)

    def __len__(self) -> int:
        return len(self._loaders)

    def renamed(self, change: Callable[[str], str]) -> "Tensors":
        """The same tensors with other names: `change(name)`."""
        return Tensors({change(name): loader for name, loader in self._loaders.items()})

    def under(self, names: Mapping[str, str]) -> "Tensors":
        """Some of the tensors, with other names: new name -> name here."""
        return Tensors({name: self._loaders[here] for name, here in names.items()})

    @classmethod
    def of(cls, state: Mapping[str, np.ndarray]) -> "Tensors":
        """Make `Tensors` of a mapping name -> array; `state` itself if it is `Tensors`."""
        if isinstance(state, cls):
            return state
        return cls({name: partial(_same, value) for name, value in state.items()})


def _same(value):
    return value
