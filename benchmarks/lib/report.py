"""What every benchmark shares: medians of alternating runs, the machine's name, and the Markdown table."""

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.lib.process import CLOCK
from gluon_attn.utils import cpu
from gluon_attn.utils.files import write_text

#: of --torch, in the benchmarks that have networks of timm
TORCH_HELP = "the Python of PyTorch's sides, which needs timm for the networks of timm (default: this one)"


def take_turns(runs: Mapping[str, Callable[[], float]], repeat: int) -> dict[str, float]:
    """Run each of several functions `repeat` times, one after the other in turn.

    Args:
        runs: Name -> function that returns the seconds of one run.
        repeat: Number of runs of each.

    Returns:
        Name -> median seconds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeat):
        for name, run in runs.items():
            seconds[name].append(run())
    return {name: statistics.median(values) for name, values in seconds.items()}


def machine(*extra: str) -> str:
    """Return the processor, the number of threads and `extra` (such as versions), as one line."""
    threads = os.environ.get("OMP_NUM_THREADS", "unset")
    return ", ".join([cpu.model_name(cpu.Host()), f"OMP_NUM_THREADS={threads}", *extra])


def command(out: Path | None, torch: str = sys.executable) -> str:
    """Return the command that runs, for the head of a table: with the clock, without --out and this machine's paths.

    Args:
        out: Value of --out.
        torch: Value of --torch.
    """
    names = {torch: "TORCHENV/bin/python"}
    given = [names.get(word, word) for word in sys.argv[1:] if word not in ("--out", str(out))]
    return " ".join([f"{CLOCK}python benchmarks/{Path(sys.argv[0]).name}", *given])


def versions(*packages: str, python: str = sys.executable) -> list[str]:
    """Return "package version" of those of `packages` that an interpreter has.

    Args:
        *packages: Names on PyPI.
        python: Path of the interpreter.
    """
    here = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    runs = {name: subprocess.run([python, "-c", here, name], capture_output=True, text=True) for name in packages}
    return [f"{name} {run.stdout.strip()}" for name, run in runs.items() if run.returncode == 0]


def earlier(path: Path, head: str, names: Collection[str]) -> list[str]:
    """Read the rows of an earlier table that are to be kept.

    Args:
        path: Markdown file of the table; without the file there are no rows.
        head: What has to stand above the table.
        names: First cells of the rows that are left out.

    Returns:
        The lines of the other rows.

    Raises:
        ValueError: The file has another head, so its numbers cannot be compared.
    """
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    if not text.startswith(f"{head}\n"):
        raise ValueError(f"{path} was measured by another command, with other libraries or on another machine")
    lines = text.removeprefix(head).split("\n")[3:-1]
    return [line for line in lines if line.split(" | ")[0].removeprefix("| ") not in names]


class Table:
    """A Markdown table that prints each row when it is added.

    Args:
        columns: Headings.
        numbers: How many of the last columns hold numbers, which are aligned on the right.
        lines: Rows of an `earlier` table, which come first.
    """

    def __init__(self, columns: Sequence[str], numbers: int, lines: Iterable[str] = ()):
        rule = "---|" * (len(columns) - numbers) + "---:|" * numbers
        self.lines = [f"| {' | '.join(columns)} |", f"|{rule}", *lines]
        print(*self.lines[:2], sep="\n", flush=True)

    def add(self, *cells: object) -> None:
        """Add and print a row."""
        self.lines.append(f"| {' | '.join(map(str, cells))} |")
        print(self.lines[-1], flush=True)

    def write(self, path: Path | None, head: str) -> None:
        """Write `head` and the table to a file, or nothing if `path` is None."""
        if path is not None:
            write_text(path, head + "\n" + "\n".join(self.lines) + "\n")
