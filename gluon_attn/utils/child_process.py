"""Python processes that this one starts."""

import os
import sys


def child_environment(**changes: str) -> dict[str, str]:
    """The environment of this process for a child that imports what this one can import.

    Args:
        changes: variables to set besides.
    """
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **changes}
