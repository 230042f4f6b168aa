"""The limits of this processor: multiply-adds of a dtype and moving bytes, measured by `peak.cc`."""

import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from gluon_attn.utils import cpu

_SOURCE = Path(__file__).with_name("peak.cc")
DTYPES = ("float32", "bfloat16", "int8")
#: a name of moved bytes is this and MiB of the buffer
MEMORY = "memory-"
#: dtype -> flag of a processor whose AMX computes it
AMX = {"bfloat16": "amx_bf16", "int8": "amx_int8"}


def amx() -> list[str]:
    """The dtypes that AMX computes on this processor."""
    flags = cpu.flags(cpu.Host())
    return [dtype for dtype, flag in AMX.items() if flag in flags]


@functools.cache
def limits(threads: int | None = None) -> dict[str, float]:
    """Measure once what threads can do together, each a process of its own. It takes six seconds.

    Args:
        threads: How many (default: OMP_NUM_THREADS, else one).

    Returns:
        "float32", "bfloat16", "int8" (those that the processor has instructions for) -> operations per second, two for
        a multiply-add; "memory-MIB" -> bytes per second that are moved within a buffer of so many MiB, in equal parts
        for the threads. A dtype that AMX computes is left out: the limit of the other instructions is not its own.
        Empty without g++.
    """
    if shutil.which("g++") is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "peak"
        subprocess.run(["g++", "-O3", "-march=native", str(_SOURCE), "-o", str(program)], check=True)
        count = threads or int(os.environ.get("OMP_NUM_THREADS", 1))
        runs = [subprocess.Popen([str(program), str(count)], stdout=subprocess.PIPE, text=True) for _ in range(count)]
        outputs = [run.communicate()[0] for run in runs]
    found: dict[str, float] = {}
    for line in "".join(outputs).splitlines():
        name, units = line.split()
        found[name] = found.get(name, 0.0) + float(units)
    sizes = sorted((name for name in found if name.startswith(MEMORY)), key=lambda name: int(name.removeprefix(MEMORY)))
    return {name: found[name] for name in (*DTYPES, *sizes) if name in found and name not in amx()}
