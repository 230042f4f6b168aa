"""A process that works on a study: it attempts runs until all have ended."""

import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from ...utils.errors import TrainingError, UserError
from .folder import StudyFolder
from .plan import StudyPlan
from .trials import Interrupted, Trials, TrialState

#: environment variables of a worker: the storage, which may hold a password; the cores it may use
STORAGE, CORES = "GLUON_ATTN_STORAGE", "GLUON_ATTN_CORES"
_NAME = "runs"


def open_trials(folder: StudyFolder, storage: str | None, create: bool = True) -> Trials:
    """The trials of a study.

    Args:
        folder: of the study.
        storage: URL of another storage than the folder's database; there the study is found by the folder's name.
        create: as of `Trials`.
    """
    name = folder.path.resolve().name if storage else _NAME
    return Trials(folder.storage(storage), name, maximize=True, create=create)


def work(folder: StudyFolder, storage: str | None = None, max_failures: int | None = None) -> None:
    """Attempt runs of a study until all have ended, here or in other processes.

    Args:
        folder: of the study, begun.
        storage: as of `open_trials`.
        max_failures: end when more runs have failed.
    """
    plan, trials = folder.read_plan(), open_trials(folder, storage)
    points = plan.points
    trials.work(
        len(points),
        lambda number: run_point(plan, folder, number, points[number]),
        lambda states: too_many_failures(states, max_failures),
    )


def too_many_failures(states: Sequence[TrialState], max_failures: int | None) -> bool:
    """Whether more runs than `max_failures` have failed; None is no limit."""
    return max_failures is not None and sum(state.state == "failed" for state in states) > max_failures


def run_point(plan: StudyPlan, folder: StudyFolder, number: int, point: dict[str, Any]) -> tuple[float, Any]:
    """Train one run of a study in its folder, resumed where it was begun.

    Returns:
        (score, {"best": record of the best epoch, "epochs": how many, "seconds": of the run}).
    """
    from ..train import train_run  # loads MXNet, which takes seconds

    run, start = folder.run(number), time.monotonic()
    options = plan.run_options(point).override("train.run_dir", str(run)).override("train.resume", "auto")
    try:
        result = train_run(options)
    except UserError as error:
        if "is in use by another run" in str(error):  # its process is alive, but was taken for dead
            time.sleep(1)
            raise Interrupted from None
        raise
    seconds = round(time.monotonic() - start, 1)
    return float(result.score), {"best": dict(result.best), "epochs": len(result.history), "seconds": seconds}


def main() -> int:
    """Entry point of a worker process: `python -m gluon_attn.runs.study.worker FOLDER [MAX_FAILURES]`."""
    cores = os.environ.get(CORES)
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, map(int, cores.split(",")))
    try:
        work(StudyFolder(sys.argv[1]), os.environ.get(STORAGE) or None, int(sys.argv[2]) if sys.argv[2:] else None)
    except KeyboardInterrupt:
        return 130
    except (UserError, TrainingError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
