"""The limits of this processor: multiply-adds in float32, bfloat16 and int8, and moving bytes.

    OMP_NUM_THREADS=1 python benchmarks/peak.py --out benchmarks/results/peak.md

Needs g++. AMX is not measured: where a processor has it, bfloat16 and int8 have no limit. Other benchmarks measure
the limits when they start, and give their speeds as shares of them: `lib/limit.py` says how.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from benchmarks.lib.peak import MEMORY, limits  # noqa: E402
from benchmarks.lib.process import PROCESSOR  # noqa: E402
from benchmarks.lib.report import Table, machine  # noqa: E402


def main() -> None:
    """Measure, print the table and, with --out, write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    out = parser.parse_args().out
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    found = limits()
    if not found:
        sys.exit("error: there is no g++, which builds what measures: apt install g++")
    table = Table(["limit", "per second"], numbers=1)
    for name, units in found.items():
        moved = name.startswith(MEMORY)
        label = f"memory within {name.removeprefix(MEMORY)} MiB" if moved else name
        table.add(label, f"{units / 1e9:.0f} G{'B' if moved else ' operations'}")
    kind = "processor time (CLOCK=processor)" if PROCESSOR else "time"
    table.write(
        out,
        f"# Limits of the processor\n\n`python benchmarks/peak.py` on {machine()}.\n"
        f"Best of seven rounds in {kind}; a multiply-add is two operations, bytes are read or copied in order within "
        "a buffer of so many MiB. AMX is not measured.\n",
    )


if __name__ == "__main__":
    main()
