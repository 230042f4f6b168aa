"""How much memory this process took."""

import resource
import sys


def peak():
    """The most bytes of memory that this process ever held at once."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
