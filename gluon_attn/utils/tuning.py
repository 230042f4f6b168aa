"""Settings that MXNet, OpenMP, oneDNN and glibc read once, when they load.

Each function takes the machine, whose environment it changes, and returns a `Step`.

The user's own value always has priority. What we set is noted in one more variable, so that a child process (such as a
Horovod worker) does not mistake its parent's value for the user's.
"""

import ctypes
from dataclasses import dataclass

from . import cpu

THREADS, ISA, BLAS = "OMP_NUM_THREADS", "DNNL_MAX_CPU_ISA", "OPENBLAS_CORETYPE"
_NOTE = "GLUON_ATTN_RUNTIME"
_AMX, _BELOW_AMX = "AVX512_CORE_AMX", "AVX512_CORE_BF16"
#: OpenBLAS's kernels, best first, and the CPU flags that they need; a build without the first uses the second
_CORES = {"SkylakeX": {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"}, "Haswell": {"avx2", "fma"}}
_ARCH_PRCTL, _ARCH_REQ_XCOMP_PERM, _XTILEDATA = 158, 0x1023, 18  # x86-64 Linux
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX, _M_MXFAST = -1, -3, -8, 1
_OWN_MALLOC = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_ARENA_MAX")


@dataclass(frozen=True)
class Step:
    """A setting that was made or left alone.

    Attributes:
        value: "2", "on", "off" ...
        reason: why.
    """

    value: str
    reason: str


def set_threads(host: cpu.Host) -> Step:
    """Set OMP_NUM_THREADS: by default MXNet uses half of the cores."""
    own = _own(host, THREADS)
    if own is not None:
        return Step(own, f"{THREADS} is set by you")
    count, reason = cpu.threads(host)
    _set(host, THREADS, str(count))
    return Step(str(count), reason)


def set_amx(host: cpu.Host) -> Step:
    """Let oneDNN use AMX where processor and kernel support it, unless GLUON_ATTN_AMX=0 or the user set an ISA.

    oneDNN uses AMX only if DNNL_MAX_CPU_ISA allows it, and then dies with SIGILL unless the kernel has granted the tile
    registers. So they are requested for a user's own DNNL_MAX_CPU_ISA, too.
    """
    own, has_amx = _own(host, ISA), "amx_tile" in cpu.flags(host)
    if own is None:
        host.environ.pop(ISA, None)
        if host.environ.get("GLUON_ATTN_AMX", "").lower() in ("0", "off", "no", "false"):
            return Step("off", "GLUON_ATTN_AMX=0")
        if not has_amx:
            return Step("off", "the processor has no amx_tile")
    elif not has_amx or "AMX" not in own.upper():
        return Step("off", f"{ISA}={own} is set by you" + ("" if has_amx else ", the processor has no amx_tile"))
    if _request_amx(host):
        if own is None:
            _set(host, ISA, _AMX)
        return Step("on", f"{ISA}={own or _AMX}, tile registers granted by the kernel")
    if own is not None:
        _set(host, ISA, _BELOW_AMX)
        return Step("off", f"the kernel refused the tile registers, so {ISA}={own} became {_BELOW_AMX}")
    return Step("off", "the kernel refused the tile registers")


def _request_amx(host: cpu.Host) -> bool:
    """Request the tile registers, which Linux demands since 5.16 before their first use; True if granted."""
    libc = host.libc()
    if host.machine not in ("x86_64", "AMD64") or not hasattr(libc, "syscall"):
        return False
    return libc.syscall(*map(ctypes.c_long, (_ARCH_PRCTL, _ARCH_REQ_XCOMP_PERM, _XTILEDATA))) == 0


def set_blas(host: cpu.Host) -> Step:
    """Choose OpenBLAS's kernels: MXNet's version (0.3.13) uses those for SSE3 on processors newer than itself."""
    own = _own(host, BLAS)
    if own is not None:
        return Step(own, f"{BLAS} is set by you")
    found = cpu.flags(host)
    core = next((core for core, needed in _CORES.items() if needed <= found), None)
    if core is None:
        host.environ.pop(BLAS, None)
        return Step("its own choice", "the processor has neither AVX-512 nor AVX2 with FMA")
    _set(host, BLAS, core)
    return Step(core, "fits the processor; by default OpenBLAS uses SSE3 on new ones")


def keep_memory(host: cpu.Host) -> Step:
    """Let glibc keep freed memory: returning it to the system costs page faults for each large array."""
    libc = host.libc()
    if not hasattr(libc, "gnu_get_libc_version") or not hasattr(libc, "mallopt"):
        return Step("off", "the C library is not glibc")
    own = [name for name in _OWN_MALLOC if name in host.environ]
    if own or "glibc.malloc." in host.environ.get("GLIBC_TUNABLES", ""):
        return Step("off", f"{(own or ['GLIBC_TUNABLES'])[0]} is set by you")
    # Older glibc allows at most 32 MiB. With only the second call the mmap threshold would stay at 128 KiB.
    for size in (1 << 30, 32 << 20):
        if libc.mallopt(_M_MMAP_THRESHOLD, size) and libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1):
            libc.mallopt(_M_ARENA_MAX, 1)  # the arenas of MXNet's threads return an empty heap whatever the threshold
            libc.mallopt(_M_MXFAST, 0)  # each large array would empty the fast bins of small objects
            return Step("on", f"freed arrays of up to {size >> 20} MiB are kept for reuse")
    return Step("off", "glibc refused the thresholds")


def _own(host: cpu.Host, name: str) -> str | None:
    """The user's value of a variable; None if it is unset or was set by us in a parent process."""
    value = host.environ.get(name) or None
    return None if f"{name}={value}" in host.environ.get(_NOTE, "").split() else value


def _set(host: cpu.Host, name: str, value: str) -> None:
    """Set a variable and note that it was us."""
    kept = [item for item in host.environ.get(_NOTE, "").split() if not item.startswith(f"{name}=")]
    host.environ.update({name: value, _NOTE: " ".join([*kept, f"{name}={value}"])})
