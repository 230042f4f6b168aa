"""What every benchmark shares: medians of runs that take turns, the machine's name, and the Markdown table."""

import os
import statistics

from gluon_attn.utils import cpu
from gluon_attn.utils.files import write_text


def take_turns(runs, repeat):
    """Name -> median seconds. runs: name -> function that returns the seconds of one run; they alternate."""
    seconds = {name: [] for name in runs}
    for _ in range(repeat):
        for name, run in runs.items():
            seconds[name].append(run())
    return {name: statistics.median(values) for name, values in seconds.items()}


def machine(*extra):
    """The processor, the threads and what else matters, as one line."""
    threads = os.environ.get("OMP_NUM_THREADS", "unset")
    return ", ".join([cpu.model_name(cpu.Host()), f"OMP_NUM_THREADS={threads}", *extra])


def earlier(path, head, names):
    """Lines of the table under the same `head` in a file whose first cell is none of `names`; no file has none.

    Another head is a ValueError: such rows are not to be compared.
    """
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    if not text.startswith(f"{head}\n"):
        raise ValueError(f"{path} was measured by another command, with other libraries or on another machine")
    lines = text.removeprefix(head).split("\n")[3:-1]
    return [line for line in lines if line.split(" | ")[0].removeprefix("| ") not in names]


class Table:
    """A Markdown table that prints each row as it comes. columns: headings, the last `numbers` of them of numbers.

    lines: of an `earlier` table, which stay above.
    """

    def __init__(self, columns, numbers, lines=()):
        rule = "---|" * (len(columns) - numbers) + "---:|" * numbers
        self.lines = [f"| {' | '.join(columns)} |", f"|{rule}", *lines]
        print(*self.lines[:2], sep="\n", flush=True)

    def add(self, *cells):
        """One row."""
        self.lines.append(f"| {' | '.join(map(str, cells))} |")
        print(self.lines[-1], flush=True)

    def write(self, path, head):
        """The table under `head` into a file; None: nowhere."""
        if path is not None:
            write_text(path, head + "\n" + "\n".join(self.lines) + "\n")
