"""What processor, container and launcher give to this process. Standard library only.

Every function takes a `Host`, so that a test can describe another machine.
"""

import ctypes
import math
import os
import platform
import re
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: variables with the number of processes that a launcher started on this host; the first that is set counts
LOCAL_SIZE = (
    "HOROVOD_LOCAL_SIZE",
    "OMPI_COMM_WORLD_LOCAL_SIZE",
    "MV2_COMM_WORLD_LOCAL_SIZE",
    "MPI_LOCALNRANKS",
)


def _affinity() -> int:
    """Cores that this process may be scheduled on; all cores on systems without affinity."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _libc() -> Any:
    """The C library of this process, or None where it cannot be opened."""
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):
        return None


@dataclass(frozen=True)
class Host:
    """The machine that this process runs on, or a made-up one.

    Attributes:
        environ: environment variables.
        root: root of the file system.
        affinity: function that counts the cores that this process may use.
        libc: function that opens the C library, or returns None.
        machine: architecture, such as x86_64.
    """

    environ: MutableMapping[str, str] = field(default_factory=lambda: os.environ)
    root: Path = Path("/")
    affinity: Callable[[], int] = _affinity
    libc: Callable[[], Any] = _libc
    machine: str = field(default_factory=platform.machine)

    def read(self, path: str) -> str:
        """Text of the file at `path`, relative to `root`; empty if it is missing or unreadable."""
        try:
            return (Path(self.root) / path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


def flags(host: Host) -> frozenset[str]:
    """Feature flags of the first core in /proc/cpuinfo; empty on other systems."""
    found = re.search(r"^flags\s*:(.*)$", host.read("proc/cpuinfo"), re.MULTILINE)
    return frozenset(found.group(1).split()) if found else frozenset()


def has_bfloat16(host: Host) -> bool:
    """Whether the processor has instructions for bfloat16."""
    return bool(flags(host) & {"avx512_bf16", "amx_bf16"})


def model_name(host: Host) -> str:
    """The processor's name in /proc/cpuinfo, else the architecture."""
    found = re.search(r"^model name\s*:\s*(.*)$", host.read("proc/cpuinfo"), re.MULTILINE)
    return found.group(1).strip() if found else host.machine


def cpu_limit(host: Host) -> float | None:
    """CPUs that the quota of the container (cgroup v1 or v2) allows, possibly a fraction; None without a limit."""
    quotas = {"": _quota_v2, "cpu": _quota_v1}
    limits = [quotas[controller](host, folder) for controller, folder in groups(host, "cpu")]
    return min((limit for limit in limits if limit), default=None)


def groups(host: Host, controller: str) -> list[tuple[str, str]]:
    """The cgroups that may limit this process.

    Args:
        host: the machine.
        controller: "cpu" or "memory".

    Returns:
        (controller in cgroup v1, "" in v2; folder below the root) of each group.
    """
    found: list[tuple[str, str]] = []
    mounts = ("cpu", "cpu,cpuacct") if controller == "cpu" else (controller,)
    for line in host.read("proc/self/cgroup").splitlines():
        controllers, _, path = line.partition(":")[2].partition(":")
        if controllers == "":
            found += [("", folder) for folder in _folders(("", "unified"), path)]
        elif controller in controllers.split(","):
            found += [(controller, folder) for folder in _folders(mounts, path)]
    return found


def _folders(mounts: tuple[str, ...], path: str) -> list[str]:
    """Folders of the process's own group and of all its parents, since each may have a limit.

    Inside a container the mounted tree starts at its own group, so the top is always included.
    """
    parts = [part for part in path.split("/") if part not in ("", "..")]
    tails = ["/".join(parts[:count]) for count in range(len(parts), -1, -1)]
    return [os.path.join("sys/fs/cgroup", mount, tail) for mount in mounts for tail in tails]


def _quota_v2(host: Host, folder: str) -> float | None:
    return _ratio(*host.read(f"{folder}/cpu.max").split()[:2])


def _quota_v1(host: Host, folder: str) -> float | None:
    return _ratio(host.read(f"{folder}/cpu.cfs_quota_us"), host.read(f"{folder}/cpu.cfs_period_us"))


def _ratio(quota: str = "", period: str = "") -> float | None:
    """quota / period, or None for "max", -1 and missing values."""
    try:
        total, unit = int(quota), int(period)
    except ValueError:
        return None
    return total / unit if total > 0 and unit > 0 else None


def local_size(host: Host) -> tuple[int, str | None]:
    """(number of processes that the launcher started on this host, its variable); (1, None) without a launcher."""
    for variable in LOCAL_SIZE:
        value = host.environ.get(variable, "")
        if value.isdecimal() and int(value) > 0:
            return int(value), variable
    return 1, None


def threads(host: Host) -> tuple[int, str]:
    """(number of OpenMP threads, reason): the cores within the container's limit, shared by the host's processes."""
    cores, limit = host.affinity(), cpu_limit(host)
    reason = f"{cores} core{'s' if cores > 1 else ''} usable by this process"
    if limit is not None and math.ceil(limit) < cores:
        cores = math.ceil(limit)
        reason = f"container limit of {limit:g} CPUs"
    size, variable = local_size(host)
    if size > 1:
        reason += f", shared by {size} processes ({variable})"
    return max(1, cores // size), reason
