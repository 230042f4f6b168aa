"""Work on a study with several processes of this machine, and watch them."""

import os
import time
from collections.abc import Mapping, Sequence

from ...config.scores import Score
from ...utils.errors import TrainingError, UserError
from ...utils.log import get_logger
from ...utils.progress import Progress
from .attempts import TrialState
from .folder import StudyFolder
from .plan import StudyPlan
from .processes import Processes, started
from .trials import Trials
from .worker import open_trials, target_reached, too_many_failures

_POLL = 1.0  # seconds between looks at the trials
_GROUP = "WANDB_RUN_GROUP"


def begin(
    folder: StudyFolder, plan: StudyPlan, workers: int = 1, storage: str | None = None, max_failures: int | None = None
) -> StudyPlan:
    """Make a folder that of a study, or find that it is; see `StudyFolder.begin`.

    Args:
        folder: of the study.
        plan: what is to run.
        workers, storage, max_failures: as of `run_all`.

    Raises:
        UserError: a number does not fit, there is no login for Weights & Biases, or the storage cannot be used, and
            nothing was written; or as `StudyFolder.begin`.
    """
    if workers < 1:
        raise UserError(f"option workers must be at least 1, got {workers}")
    if max_failures is not None and max_failures < 0:
        raise UserError(f"option max_failures must be at least 0, got {max_failures}")
    if plan.options.config().train.wandb:
        from ...engine.tracking import check_login  # loads MXNet

        check_login()
    if storage:
        Trials(storage, folder.name, plan, new=not folder.has_runs)
    plan = folder.begin(plan)
    if not storage:
        Trials(folder.storage(None), folder.name_in(None), plan, new=not folder.has_runs)
    return plan


def run_all(
    folder: StudyFolder,
    workers: int = 1,
    storage: str | None = None,
    max_failures: int | None = None,
    variables: Mapping[str, str] | None = None,
) -> list[TrialState]:
    """Run a study to its end; other machines that run the same command on its storage share the work.

    Args:
        folder: of the study, begun.
        workers: processes on this machine, each with its share of the cores.
        storage: URL of the storage (default: a database in the folder).
        max_failures: end the study when more runs have failed (default: no limit).
        variables: further environment variables of the workers.

    Returns:
        The state of every run; all have ended, unless one has the target of the study.

    Raises:
        UserError: the storage cannot be used.
        TrainingError: more runs than `max_failures` have failed, or the workers end without finishing.
        KeyboardInterrupt: Ctrl-C; the message says that the study can go on.
    """
    plan, trials = open_trials(folder, storage)
    states = trials.states()
    left = sum(not state.has_ended for state in states)
    if _ended(plan, states) or too_many_failures(states, max_failures):
        get_logger().info("all runs of %s have ended", folder)
        return _checked(plan, states, folder, max_failures)
    get_logger().info("runs in %s: %d in all, %d left, %d at a time", folder, len(plan), left, workers)
    group = {_GROUP: os.environ.get(_GROUP) or folder.name}  # of Weights & Biases
    try:
        with started(folder, workers, storage, max_failures, {**group, **(variables or {})}) as processes:
            states = _watch(trials, plan.score, processes)
            return _checked(plan, states, folder, max_failures, processes)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; the same command resumes {folder}") from None


def _watch(trials: Trials, score: Score, processes: Processes) -> list[TrialState]:
    """Show the progress until all workers have ended."""
    states = trials.states()
    known = sum(state.has_ended for state in states)
    with Progress("study", len(states), "run", known) as bar:
        while True:
            alive = processes.alive
            states = trials.states()
            ended = sum(state.has_ended for state in states)
            bar.update(ended - known, describe(states, score))
            if ended > known:
                bar.line()
            known = ended
            if not alive:
                return states
            time.sleep(_POLL)


def describe(states: Sequence[TrialState], score: Score) -> str:
    """How far a study is, in words.

    Args:
        states: of its runs.
        score: what they are compared by.
    """
    kinds = ("done", "running", "stopped", "failed")
    counts = {kind: sum(state.state == kind for state in states) for kind in kinds}
    scores = [state.score for state in states if state.score is not None and state.state == "done"]
    words = [f"{count} {kind}" for kind, count in counts.items() if count or kind != "stopped"]
    words += [f"best {(max if score.higher_is_better else min)(scores):.4f}"] if scores else []
    return ", ".join(words)


def _ended(plan: StudyPlan, states: Sequence[TrialState]) -> bool:
    return all(state.has_ended for state in states) or target_reached(plan, states)


def _checked(
    plan: StudyPlan,
    states: list[TrialState],
    folder: StudyFolder,
    max_failures: int | None,
    processes: Processes | None = None,
) -> list[TrialState]:
    failed = [state for state in states if state.state == "failed"]
    if too_many_failures(states, max_failures):
        first = failed[0]
        raise TrainingError(
            f"{len(failed)} runs of {folder} failed, option max_failures allows {max_failures}; "
            f"run {first.number:03d}: {first.reason}"
        )
    if processes is not None and not _ended(plan, states):
        raise TrainingError(f"{processes.last_words()}; the same command resumes {folder}")
    return states
