"""How much memory this process took, and may take."""

import re
import resource
import sys

from . import cpu

_UNKNOWN = 4 << 30


def peak():
    """The most bytes of memory that this process ever held at once."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def available(host):
    """Bytes that are free, within the container's limit (cgroup v1 or v2), shared by the host's processes.

    host: a `cpu.Host`. Where neither is known it is 4 GiB.
    """
    free = [
        int(kilobytes) * 1024 for kilobytes in re.findall(r"^MemAvailable:\s*(\d+)", host.read("proc/meminfo"), re.M)
    ]
    names = {"memory": ("memory.limit_in_bytes", "memory.usage_in_bytes"), "": ("memory.max", "memory.current")}
    for controller, folder in cpu.groups(host, "memory"):
        limit, used = (host.read(f"{folder}/{name}").strip() for name in names[controller])
        if limit.isdecimal() and used.isdecimal():
            free.append(max(0, int(limit) - int(used)))
    return min(free, default=_UNKNOWN) // cpu.local_size(host)[0]
