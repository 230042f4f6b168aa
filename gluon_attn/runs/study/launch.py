"""Work on a study with several processes of this machine, and watch them."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from ...config.scores import Score
from ...utils.child_process import child_environment
from ...utils.errors import TrainingError
from ...utils.files import ensure_dir
from ...utils.log import get_logger
from .attempts import TrialState
from .folder import StudyFolder
from .plan import StudyPlan
from .trials import Trials
from .worker import CORES, STORAGE, open_trials, target_reached, too_many_failures

_POLL = 1.0  # seconds between looks at the trials
_GRACE = 30.0  # seconds that workers have to end after Ctrl-C


def begin(folder: StudyFolder, plan: StudyPlan, workers: int, storage: str | None) -> StudyPlan:
    """Make a folder that of a study, or find that it is; see `StudyFolder.begin`.

    Args:
        folder: of the study.
        plan: what is to run.
        workers, storage: as of `run_all`.

    Raises:
        UserError: the storage cannot be used, and nothing was written; or as `StudyFolder.begin`.
    """
    if storage:
        Trials(storage, folder.name, plan)
    plan = folder.begin(plan)
    get_logger().info("%d runs, %d at a time, in %s", len(plan), workers, folder)
    return plan


def run_all(
    folder: StudyFolder, workers: int = 1, storage: str | None = None, max_failures: int | None = None
) -> list[TrialState]:
    """Run a study to its end; other machines that run the same command on its storage share the work.

    Args:
        folder: of the study, begun.
        workers: processes on this machine, each with its share of the cores.
        storage: URL of the storage (default: a database in the folder).
        max_failures: end the study when more runs have failed (default: no limit).

    Returns:
        The state of every run; all have ended, unless one has the target of the study.

    Raises:
        UserError: the storage cannot be used.
        TrainingError: more runs than `max_failures` have failed, or the workers end without finishing.
    """
    plan, trials = open_trials(folder, storage)
    states = trials.states()
    if _ended(plan, states) or too_many_failures(states, max_failures):
        return _checked(plan, states, folder, max_failures)
    with _processes(folder, workers, storage, max_failures) as processes:
        states = _watch(trials, plan.score, processes)
    return _checked(plan, states, folder, max_failures)


def _watch(trials: Trials, score: Score, processes: Sequence[subprocess.Popen]) -> list[TrialState]:
    """Show the progress until all workers have ended."""
    begun = time.monotonic()
    with tqdm(total=len(trials.states()), unit="run", disable=None) as bar:
        first = None
        while True:
            alive = any(process.poll() is None for process in processes)
            states = trials.states()
            ended = sum(state.has_ended for state in states)
            first = ended if first is None else first
            bar.n = ended
            bar.set_postfix_str(describe(states, score, ended - first, time.monotonic() - begun), refresh=True)
            if not alive:
                return states
            time.sleep(_POLL)


def describe(states: Sequence[TrialState], score: Score, ended: int, seconds: float) -> str:
    """How far a study is, in words.

    Args:
        states: of its runs.
        score: what they are compared by.
        ended: how many of them ended in the last `seconds`, for the time that is left.
        seconds: see `ended`.
    """
    kinds = ("done", "running", "stopped", "failed")
    counts = {kind: sum(state.state == kind for state in states) for kind in kinds}
    scores = [state.score for state in states if state.score is not None and state.state == "done"]
    words = [f"{count} {kind}" for kind, count in counts.items() if count or kind != "stopped"]
    words += [f"best {(max if score.higher_is_better else min)(scores):.4f}"] if scores else []
    left = sum(not state.has_ended for state in states)
    words += [f"{left * seconds / ended / 60:.0f} min left"] if ended and left else []
    return ", ".join(words)


@contextlib.contextmanager
def _processes(
    folder: StudyFolder, workers: int, storage: str | None, max_failures: int | None
) -> Iterator[list[subprocess.Popen]]:
    """Start the workers; they are ended with the block."""
    ensure_dir(folder.logs)
    command = [sys.executable, "-m", f"{__package__}.worker", str(folder)]
    command += [] if max_failures is None else [str(max_failures)]
    with contextlib.ExitStack() as stack:
        processes = []
        for number, cores in enumerate(shares(workers)):
            log = stack.enter_context(open(_log(folder, number), "ab"))
            variables = {CORES: ",".join(map(str, cores)), "OMP_NUM_THREADS": str(len(cores)), STORAGE: storage or ""}
            process = subprocess.Popen(
                command, env=child_environment(**variables), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            stack.callback(_end, process)
            processes.append(process)
        yield processes


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


def _log(folder: StudyFolder, number: int) -> Path:
    return folder.logs / f"{number + 1}.log"


def _end(process: subprocess.Popen) -> None:
    """Ask a worker to end, as Ctrl-C does; it gives its run back."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
            return
        process.kill()
        process.wait()


def _ended(plan: StudyPlan, states: Sequence[TrialState]) -> bool:
    return all(state.has_ended for state in states) or target_reached(plan, states)


def _checked(
    plan: StudyPlan, states: list[TrialState], folder: StudyFolder, max_failures: int | None
) -> list[TrialState]:
    failed = [state for state in states if state.state == "failed"]
    if too_many_failures(states, max_failures):
        first = failed[0]
        raise TrainingError(
            f"{len(failed)} runs of {folder} failed, option max_failures allows {max_failures}; "
            f"run {first.number:03d}: {first.reason}"
        )
    if not _ended(plan, states):
        raise TrainingError(f"the workers ended before all runs of {folder}: see {folder.logs}; {_last_line(folder)}")
    return states


def _last_line(folder: StudyFolder) -> str:
    """The last line that a worker wrote."""
    for path in sorted(folder.logs.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True):
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        if lines:
            return lines[-1]
    return "they wrote nothing"
