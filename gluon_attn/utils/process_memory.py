"""Memory that this process has used, and may use."""

import re
import resource
import sys

from . import cpu

_UNKNOWN = 4 << 30


def peak() -> int:
    """Peak resident memory of this process in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def available(host: cpu.Host) -> int:
    """Free memory in bytes within the container's limit (cgroup v1 or v2), shared by the host's processes.

    4 GiB where neither free memory nor limit is known.
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
