"""Import times, each in a fresh process.

    python benchmarks/import_time.py --out benchmarks/results/import_time.md

A figure is the median time of the statement alone in milliseconds, without the start of Python. The first round, which
brings the files into the system's cache, is not counted. The statements take turns. It takes a minute.
"""

import argparse
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from benchmarks.lib.report import Table, machine, take_turns  # noqa: E402

ALIASES = (
    "import builtins, numpy\n"
    "for name in ('bool', 'int', 'float', 'object', 'complex', 'str'): setattr(numpy, name, getattr(builtins, name))"
)
#: label -> (what runs before the clock starts, what is timed)
STATEMENTS = {
    "import gluon_attn": ("pass", "import gluon_attn"),
    "import gluon_attn, then gluon_attn.get_model": ("pass", "import gluon_attn; gluon_attn.get_model"),
    "import mxnet (NumPy and its aliases there)": (ALIASES, "import mxnet"),
}
TARGET = 2500


def measure(before: str, statement: str) -> float:
    """Milliseconds of one statement in a new process."""
    code = f"{before}\nimport time\nstart = time.perf_counter()\n{statement}\nprint(time.perf_counter() - start)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return 1e3 * float(child.stdout.split()[-1])


def main() -> int:
    """Measure, print the table and, with --out, write it; returns 1 if the import is slower than its target, else 0."""
    parser = argparse.ArgumentParser(description="time of imports in fresh processes")
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--repeat", type=int, default=9, help="processes of each kind (default 9)")
    arguments = parser.parse_args()
    if arguments.repeat < 1:
        parser.error("--repeat must be at least 1")
    runs = {name: partial(measure, *pair) for name, pair in STATEMENTS.items()}
    take_turns(runs, 1)
    found = take_turns(runs, arguments.repeat)
    table = Table(["statement", "median ms"], numbers=1)
    for name, milliseconds in found.items():
        table.add(f"`{name}`", f"{milliseconds:.0f}")
    head = (
        f"# Import times\n\n`python benchmarks/import_time.py --repeat {arguments.repeat}` on "
        f"{machine(f'Python {sys.version.split()[0]}')}.\n"
        f"Each in a fresh process, turn by turn. Target of the first line: under {TARGET} ms.\n"
    )
    table.write(arguments.out, head)
    return int(found["import gluon_attn"] > TARGET)


if __name__ == "__main__":
    sys.exit(main())
