"""The library's attentions in PyTorch, each formula written down as the peers' code does.

Every class is made as `Name(channels, size)` with the library's defaults; `size` is the height and width of the feature
map (N,C,H,W) that it gets. `torch_names` says which is which. Their speed is measured, their values are not.
A class of any file of this folder is found here by its name.
"""

import importlib
import pkgutil

from torch.nn import Module

for _file in pkgutil.iter_modules(__path__):
    _module = importlib.import_module(f"{__name__}.{_file.name}")
    globals().update(
        {name: one for name, one in vars(_module).items() if isinstance(one, type) and issubclass(one, Module)}
    )
