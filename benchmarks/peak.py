"""The limits of this processor: multiply-adds in float32, bfloat16 and int8, and reading memory.

    OMP_NUM_THREADS=1 python benchmarks/peak.py --out benchmarks/results/peak.md

Needs g++. AMX is left out. Other tables give their speeds as shares of these limits.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from benchmarks.lib.peak import limits  # noqa: E402
from benchmarks.lib.report import Table, machine  # noqa: E402


def main() -> None:
    """Measure, print the table and, with --out, write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    out = parser.parse_args().out
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    table = Table(["limit", "a second"], numbers=1)
    for name, units in limits(int(os.environ["OMP_NUM_THREADS"])).items():
        table.add(name, f"{units / 1e9:.0f} G{'B' if name == 'memory' else ' operations'}")
    table.write(
        out,
        f"# Limits of the processor\n\n`python benchmarks/peak.py` on {machine()}.\n"
        "Best of seven rounds; a multiply-add is two operations, memory is read in order. AMX is left out.\n",
    )


if __name__ == "__main__":
    main()
