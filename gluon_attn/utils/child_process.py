"""The environment of Python processes that this one starts."""

import os
import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[2])


def child_environment(**variables: str) -> dict[str, str]:
    """The environment of this process for a Python child, in which it imports the same packages.

    Args:
        **variables: Environment variables that the child gets besides, or with another value.

    Returns:
        Name -> value. `PYTHONPATH` names the folder of this package, then what it names here, then `sys.path`.
    """
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    folders = dict.fromkeys(filter(None, (_ROOT, *given, *sys.path)))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(folders), **variables}
