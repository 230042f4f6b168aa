"""How long imports take, each in a fresh process.

    python benchmarks/import_time.py --out benchmarks/results/import_time.md

A figure is the median in milliseconds of the statement alone, without the start of Python; files are in the system's
cache after the first, uncounted round. The statements take turns. It takes a minute.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from gluon_attn.utils import cpu  # noqa: E402
from gluon_attn.utils.files import write_text  # noqa: E402

ALIASES = (
    "import builtins, numpy\n"
    "for name in ('bool', 'int', 'float', 'object', 'complex', 'str'): setattr(numpy, name, getattr(builtins, name))"
)
#: what is measured -> (what runs before the clock starts, what is timed)
STATEMENTS = {
    "import gluon_attn": ("pass", "import gluon_attn"),
    "import gluon_attn, then gluon_attn.get_model": ("pass", "import gluon_attn; gluon_attn.get_model"),
    "import mxnet (NumPy and its aliases there)": (ALIASES, "import mxnet"),
}
TARGET = 2500


def measure(before, statement):
    """Milliseconds of one statement in a new process."""
    code = f"{before}\nimport time\nstart = time.perf_counter()\n{statement}\nprint(time.perf_counter() - start)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return 1e3 * float(child.stdout.split()[-1])


def main():
    """Measure, print the table and, with --out, write it; 1 when the import misses its target."""
    parser = argparse.ArgumentParser(description="time of imports in fresh processes")
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--repeat", type=int, default=9, help="processes of each kind (default 9)")
    arguments = parser.parse_args()
    if arguments.repeat < 1:
        parser.error("--repeat must be at least 1")
    times = {name: [] for name in STATEMENTS}
    for turn in range(arguments.repeat + 1):
        for name, (before, statement) in STATEMENTS.items():
            spent = measure(before, statement)
            if turn:
                times[name].append(spent)
    lines = ["| statement | median ms | fastest | slowest |", "|---|---:|---:|---:|"]
    for name, values in times.items():
        lines.append(f"| `{name}` | {statistics.median(values):.0f} | {min(values):.0f} | {max(values):.0f} |")
    print(*lines, sep="\n")
    if arguments.out:
        machine = f"{cpu.model_name(cpu.Host())}, Python {sys.version.split()[0]}"
        head = (
            f"# Import times\n\n`python benchmarks/import_time.py --repeat {arguments.repeat}` on {machine}.\n"
            f"Each in a fresh process, turn by turn. Target of the first line: under {TARGET} ms.\n\n"
        )
        write_text(arguments.out, head + "\n".join(lines) + "\n")
    return int(statistics.median(times["import gluon_attn"]) > TARGET)


if __name__ == "__main__":
    sys.exit(main())
