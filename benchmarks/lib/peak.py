"""The limits of this processor: multiply-adds of a dtype and reading memory, measured by `peak.cc`."""

import functools
import os
import subprocess
import tempfile
from pathlib import Path

_SOURCE = Path(__file__).with_name("peak.cc")


@functools.cache
def limits(threads: int = 1) -> dict[str, float]:
    """Measure what threads can do together, each a process of its own.

    Args:
        threads: How many.

    Returns:
        "float32", "bfloat16", "int8" (those that the processor has instructions for, AMX left out) -> operations a
        second, two for a multiply-add; "memory" -> bytes a second that are read.

    Raises:
        FileNotFoundError: There is no g++.
    """
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "peak"
        subprocess.run(["g++", "-O3", "-march=native", str(_SOURCE), "-o", str(program)], check=True)
        runs = [subprocess.Popen([str(program)], stdout=subprocess.PIPE, text=True) for _ in range(threads)]
        outputs = [run.communicate()[0] for run in runs]
    found: dict[str, float] = {}
    for line in "".join(outputs).splitlines():
        name, units = line.split()
        found[name] = found.get(name, 0.0) + float(units)
    return found


def share(operations: float, seconds: float, dtype: str) -> str:
    """How near to the limit of the arithmetic something was, such as "61 %"; empty where the limit is not known.

    Args:
        operations: Two for each multiply-add.
        seconds: What they took, on OMP_NUM_THREADS threads.
        dtype: What computed.
    """
    limit = limits(int(os.environ["OMP_NUM_THREADS"])).get(dtype)
    return f"{operations / limit / seconds:.0%}".replace("%", " %") if limit else ""
