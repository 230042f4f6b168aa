"""Processes of this machine that work on a study, each with its share of the cores; they end with this process."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

from ...utils.child_process import child_environment
from ...utils.files import ensure_dir
from .folder import StudyFolder

#: environment variables of a worker: the storage, which may hold a password; the cores it may use
STORAGE, CORES = "GLUON_ATTN_STORAGE", "GLUON_ATTN_CORES"
_GRACE = 30.0  # seconds that workers have to give their runs back
_MOST = 4096  # bytes of a worker's error message


class Processes:
    """Workers that were started.

    Args:
        running: their processes.
        folder: of the study.
    """

    def __init__(self, running: Sequence[subprocess.Popen], folder: StudyFolder) -> None:
        self._running, self._folder = running, folder

    @property
    def alive(self) -> bool:
        """Whether one of them is at work."""
        return any(process.poll() is None for process in self._running)

    def last_words(self) -> str:
        """Why a worker that has ended could not go on, in one line."""
        for process in self._running:
            assert process.stdout is not None
            os.set_blocking(process.stdout.fileno(), False)
            said = os.read(process.stdout.fileno(), _MOST) if process.poll() is not None else b""
            if said:
                return said.decode(errors="replace").strip()
        killed = [process.returncode for process in self._running if process.poll() is not None]
        how = next((f"one by {signal.Signals(-code).name}, " for code in killed if code < 0), "")
        return f"the workers ended, {how}before all runs: see {self._folder.logs}"


@contextlib.contextmanager
def started(
    folder: StudyFolder, workers: int, storage: str | None, max_failures: int | None, variables: Mapping[str, str]
) -> Iterator[Processes]:
    """Start the workers of a study; they are ended with the block, and give their runs back.

    Args:
        folder: of the study.
        workers: how many.
        storage, max_failures: as of `worker.work`.
        variables: environment variables for them.
    """
    ensure_dir(folder.logs)
    command = [sys.executable, "-m", f"{__package__}.worker", str(folder)]
    command += [] if max_failures is None else [str(max_failures)]
    with contextlib.ExitStack() as stack:
        processes: list[subprocess.Popen] = []
        stack.callback(_end, processes)
        for number, cores in enumerate(shares(workers), 1):
            log = stack.enter_context(open(folder.logs / f"{number}.log", "ab"))
            own = {CORES: ",".join(map(str, cores)), "OMP_NUM_THREADS": str(len(cores)), STORAGE: storage or ""}
            # stdin is at its end when this process is, however it ends; stdout is for an error message
            processes.append(subprocess.Popen(
                command, env=child_environment(**variables, **own), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log,
            ))  # fmt: skip
        yield Processes(processes, folder)


def shares(workers: int, cores: Sequence[int] | None = None) -> list[list[int]]:
    """The cores of this process, shared among workers as evenly as possible; more workers than cores share cores.

    Args:
        workers: how many.
        cores: their numbers (default: those this process may use).
    """
    if cores is None:
        known = hasattr(os, "sched_getaffinity")
        cores = sorted(os.sched_getaffinity(0)) if known else range(os.cpu_count() or 1)
    if workers > len(cores):
        return [[cores[number % len(cores)]] for number in range(workers)]
    return [list(cores[len(cores) * i // workers : len(cores) * (i + 1) // workers]) for i in range(workers)]


def _end(processes: Sequence[subprocess.Popen]) -> None:
    """Ask the workers to end, which give their runs back."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
        process.kill()
        with process:  # closes its pipes
            process.wait()
