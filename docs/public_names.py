"""Griffe extension: the API reference finds public names as users write them, `gluon_attn.search` for example.

The reference is read from the sources; MXNet is not loaded. `gluon_attn/__init__.py` imports its public names for type
checkers only, and one of them, `search`, is also a folder: the function is what is documented.
"""

from typing import Any

import griffe


class PublicNames(griffe.Extension):
    """Makes what the package imports its members, also where a module has the same name."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Add an alias for each imported name; `kwargs` are griffe's."""
        for name, path in pkg.imports.items():
            if path.startswith(f"{pkg.path}.") and path != f"{pkg.path}.{name}":
                pkg.set_member(name, griffe.Alias(name, path, parent=pkg))
