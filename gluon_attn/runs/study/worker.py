"""A process that works on a study: it attempts runs until all have ended."""

import contextlib
import math
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from ...config.scores import Score
from ...engine.callbacks import Callback
from ...engine.task import TrainingLoop
from ...plugins import load_all
from ...utils.errors import FULL_DISK, TrainingError, UserError, reason
from ...utils.files import epochs
from ...utils.interrupts import raised_again
from ...utils.log import to_terminal
from ..folder import FolderInUse
from .attempts import Attempt, Halted, Interrupted, TrialState
from .folder import StudyFolder
from .plan import StudyPlan
from .processes import CORES, STORAGE
from .trials import Trials

_PATIENCE = 5.0  # seconds before a run is tried again whose folder is in use


def open_trials(folder: StudyFolder, storage: str | None) -> tuple[StudyPlan, Trials]:
    """What a study runs, and its trials.

    Args:
        folder: of the study, begun.
        storage: URL of another storage than the folder's database; there the study is found by the folder's name.

    Raises:
        UserError: the storage cannot be used, or does not have the study.
    """
    plan = folder.read_plan()
    return plan, Trials(folder.storage(storage), folder.name_in(storage), plan, new=False)


def work(folder: StudyFolder, storage: str | None = None, max_failures: int | None = None) -> None:
    """Attempt runs of a study until all have ended, here or in other processes.

    Args:
        folder: of the study, begun.
        storage: as of `open_trials`.
        max_failures: end when more runs have failed.

    Raises:
        Halted: the disk is full.
        UserError: the storage cannot be used.
    """
    plan, trials = open_trials(folder, storage)
    trials.work(
        lambda attempt: run_one(plan, folder, attempt),
        lambda states: too_many_failures(states, max_failures) or target_reached(plan, states),
    )


def too_many_failures(states: Sequence[TrialState], max_failures: int | None) -> bool:
    """Whether more runs than `max_failures` have failed; None is no limit."""
    return max_failures is not None and sum(state.state == "failed" for state in states) > max_failures


def target_reached(plan: StudyPlan, states: Sequence[TrialState]) -> bool:
    """Whether a run has the target of the study, so that no new one is begun."""
    if plan.target is None:
        return False
    sign = 1 if plan.score.higher_is_better else -1
    return any(state.score is not None and sign * (state.score - plan.target) >= 0 for state in states)


def run_one(plan: StudyPlan, folder: StudyFolder, attempt: Attempt) -> tuple[float, Any]:
    """Train one run of a study in its folder, resumed where it was begun.

    Returns:
        (score of the last epoch that was evaluated, {"best": record of the best epoch, "epochs": how many, "seconds":
        of the run}).

    Raises:
        UserError: the options do not fit, or no epoch has the score.
        TrainingError: the run cannot go on.
        Interrupted: another process is at work in the folder.
        Halted: the disk is full.
    """
    from ..train import train_run  # loads MXNet, which takes seconds

    start = time.monotonic()
    run = folder.run(attempt.number)
    attempt.begin(max((int(path.name[6:]) for path in epochs(run.checkpoints)), default=0))
    options = plan.run_options(attempt.values, plan.seed(attempt.number))
    options = options.override("train.run_dir", str(run))
    if run.path.exists():
        options = options.override("train.resume", "auto")
    try:
        result = train_run(options, callbacks=[Reporter(attempt, plan.score)] if plan.early else [])
    except FolderInUse:  # its process is alive, but was taken for dead
        time.sleep(_PATIENCE)
        raise Interrupted from None
    except Exception as error:
        if _is_full(error):
            raise Halted(str(error)) from None
        raise
    score = plan.score.last(result.history)
    if not math.isfinite(score):
        known = ", ".join(key for key, value in result.history[-1].items() if isinstance(value, float))
        raise UserError(f"no epoch has {plan.score.key}; there are {known}")
    seconds = round(time.monotonic() - start, 1)
    return score, {"best": dict(result.best), "epochs": len(result.history), "seconds": seconds}


def _is_full(error: BaseException | None) -> bool:
    """Whether a full disk is behind an error."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL_DISK:
            return True
        error = error.__cause__ or error.__context__
    return False


class Reporter(Callback):
    """Reports every epoch's score to the study, and ends the run when others were better by then."""

    def __init__(self, attempt: Attempt, score: Score) -> None:
        self._attempt, self._score = attempt, score

    def epoch_end(self, trainer: TrainingLoop, record: dict) -> None:
        """Report the epoch."""
        epoch = record["epoch"] + 1
        if record.get(self._score.key) is None:  # a detector is not evaluated after every epoch
            return
        if self._attempt.report(self._score.of(record), epoch, epoch >= trainer.config.train.num_epochs):
            trainer.stop("other runs of the study were better by then")


def main() -> int:
    """Entry point of a worker process: `python -m gluon_attn.runs.study.worker FOLDER [MAX_FAILURES]`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal it goes to all; one of them tells the others
    signal.signal(signal.SIGTERM, _interrupt)
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=_end_with_parent, daemon=True).start()
    to_terminal()
    last_words = os.dup(1)
    os.dup2(2, 1)
    cores = os.environ.get(CORES)
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, map(int, cores.split(",")))
    try:
        with raised_again(KeyboardInterrupt, signal.SIGTERM):
            load_all()  # one that fails would fail every run
            work(StudyFolder(sys.argv[1]), os.environ.get(STORAGE) or None, int(sys.argv[2]) if sys.argv[2:] else None)
    except KeyboardInterrupt:
        return 130
    except (UserError, TrainingError, Halted) as error:
        with contextlib.suppress(OSError):  # the log may be on a full disk
            print(error, file=sys.stderr)
        os.write(last_words, str(error).encode())
        return 2
    except Exception as error:
        os.write(last_words, reason(error).encode())
        raise
    return 0


def _interrupt(number: int, frame: Any) -> None:
    """End as with Ctrl-C, once: what is on the way is given back."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end_with_parent() -> None:
    """Interrupt this process when the one that started it has ended."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
