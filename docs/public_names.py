"""Griffe extension: lets the API reference find the names that `gluon_attn/__init__.py` imports when first used.

The reference is read from the sources; MXNet is not loaded. So `::: gluon_attn.get_model` stays right when the module
that defines `get_model` gets another name.
"""

import ast
from typing import Any

import griffe


class PublicNames(griffe.Extension):
    """Makes the entries of `_PUBLIC`, name -> module, members of the package."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Add an alias for each name; `kwargs` are griffe's."""
        for name, module in ast.literal_eval(str(pkg["_PUBLIC"].value)).items():
            pkg.set_member(name, griffe.Alias(name, f"{pkg.path}{module}.{name}", parent=pkg))
