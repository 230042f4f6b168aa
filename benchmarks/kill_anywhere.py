"""What a kill -9 at a random moment loses: nothing that was said to be done.

    python benchmarks/kill_anywhere.py --moments 100 --out benchmarks/results/kill_anywhere.md

Each kind of work runs once undisturbed. Then it is started, killed with SIGKILL at a random moment after it began to
write, started again and so on, up to three times in a row, and at last left to end. After each kill every file under
its final name must be whole, and each epoch or step that the output had said to be done must be there; at the end the
results must be those of the undisturbed run, to the bit, and nothing temporary may be left. 100 moments take half an
hour on one core.
"""

import argparse
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from subprocess import TimeoutExpired

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from benchmarks.lib.killed import WORKS, damaged, hashes, make_inputs, start  # noqa: E402
from benchmarks.lib.report import Table, machine  # noqa: E402

IN_A_ROW = 3


class Killed:
    """One kind of work, undisturbed at first.

    Args:
        name: one of `WORKS`.
        folder: an empty folder.
        random: draws the moments.

    Attributes:
        kills: number of kills so far.
        faults: what was not as it must be, one line each.
    """

    def __init__(self, name: str, folder: Path, random: np.random.Generator):
        self.name, self.random, self._top = name, random, folder
        self.kills, self.faults = 0, list[str]()
        make_inputs(name, folder / "inputs")
        begin = time.monotonic()
        process = start(WORKS[name].words, self._new())
        first = None
        while process.poll() is None:
            if first is None and any(self._folder.iterdir()):
                first = time.monotonic() - begin
            time.sleep(0.01)
        self._first, self._seconds = first or 0.0, time.monotonic() - begin
        if process.returncode:
            raise RuntimeError(f"{name}: {self._said()[-500:]}")
        self._wanted = hashes(name, self._folder)

    def row(self, moments: int) -> None:
        """Kill up to `moments` times in a row, then let the work end, and note what is wrong."""
        self._new()
        for _ in range(moments):
            process = start(WORKS[self.name].words, self._folder)
            with contextlib.suppress(TimeoutExpired):
                process.wait(self.random.uniform(self._first, self._seconds))
            if process.poll() is not None:
                self._fault(process.returncode and f"exit code {process.returncode}: {self._said()[-200:]}")
                continue
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            self.kills += 1
            self._check_killed()
        process = start(WORKS[self.name].words, self._folder)
        if process.wait():
            self._fault(f"exit code {process.returncode}: {self._said()[-200:]}")
        found = hashes(self.name, self._folder)
        other = sorted(name for name in {*found, *self._wanted} if found.get(name) != self._wanted.get(name))
        self._fault(other and f"other results: {', '.join(other)}")
        left = [path.name for path in self._folder.rglob(".*") if path.suffix != ".lock" and path.name != ".lock"]
        self._fault(left and f"left behind: {', '.join(left)}")

    def _check_killed(self):
        for line in damaged(self._folder):
            self._fault(f"half-written: {line}")
        said, there = WORKS[self.name].said(self._said(), self._folder)
        self._fault(said > there and f"{said} said to be done, {there} there")

    def _fault(self, text):
        if text:
            self.faults.append(f"{self.name}, kill {self.kills}: {text}")
            print(self.faults[-1], file=sys.stderr, flush=True)

    def _said(self):
        return (self._top / "said").read_text(errors="replace")

    def _new(self):
        """Make the working folder anew; its path is the same each time, since results may name it."""
        self._folder = self._top / "work"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        return self._folder


def main() -> int:
    """Kill, print the table and, with --out, write it; returns 1 if anything was lost, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--moments", type=int, default=100, help="kills in all (default 100)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default 0)")
    parser.add_argument("--only", nargs="+", choices=WORKS, default=list(WORKS), help="kinds of work (default: all)")
    arguments = parser.parse_args()
    if arguments.moments < 1:
        parser.error("--moments must be at least 1")
    table = Table(["work", "kills", "half-written, lost or other in the end"], numbers=2)
    faults = []
    for number, name in enumerate(arguments.only):
        share = (arguments.moments + len(arguments.only) - 1 - number) // len(arguments.only)
        with tempfile.TemporaryDirectory() as folder:
            work = Killed(name, Path(folder), np.random.default_rng([arguments.seed, list(WORKS).index(name)]))
            while work.kills < share:
                work.row(min(IN_A_ROW, share - work.kills))
        table.add(name, work.kills, len(work.faults))
        faults += work.faults
    head = (
        f"# Killed at random moments\n\n`python benchmarks/kill_anywhere.py --moments {arguments.moments} --seed "
        f"{arguments.seed}` on {machine()}.\nEach kind of work was killed with SIGKILL at random moments, up to "
        f"{IN_A_ROW} times in a row, and started again; faults of any kind are counted.\n"
    )
    table.write(arguments.out, head)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
