"""What the rest of the package sees of the trials of a study: an attempt at a run, and how far each run is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: attributes of a trial: its options, why it failed, what it gave, the score where it was stopped early
VALUES, REASON, RESULT, SCORE = "values", "reason", "result", "score"
#: the epoch at which it took its run up; whether it gave the run back
_EPOCH, GIVEN_BACK = "epoch", "given back"
#: so many attempts of one run may die without getting on, such as by a crash of the process
_ATTEMPTS = 5


class Interrupted(Exception):
    """A trial ends without a result and without a fault of its own: its run is attempted again."""


class Halted(Exception):
    """As `Interrupted`, and this process could not attempt any run now, such as with a full disk."""


class Attempt:
    """One attempt at a run, as the function sees it that makes it.

    Attributes:
        number: of the run.
        values: the options in which it differs, "group.name" -> value.
        stopped_early: whether `report` said that the run is not worth going on.
    """

    def __init__(self, number: int, values: dict[str, Any], trial: Any) -> None:
        self.number, self.values, self._trial = number, values, trial
        self.stopped_early = False

    def begin(self, epoch: int) -> None:
        """Say after which epoch this attempt goes on; processes may die as often as they like while runs get on."""
        self._trial.set_user_attr(_EPOCH, epoch)

    def report(self, score: float, epoch: int, is_last: bool = False) -> bool:
        """Report the score of an epoch.

        Args:
            score: of the epoch.
            epoch: its number, from 1 on.
            is_last: whether the run ends with it anyway.

        Returns:
            Whether the run is to end now, since others were better by then.
        """
        self._trial.report(score, epoch)
        self.stopped_early = self._trial.should_prune() and not is_last  # asked even so: later runs compare with it
        return self.stopped_early


@dataclass(frozen=True)
class TrialState:
    """How far one run of a study is.

    Attributes:
        number: of the run.
        state: "waiting", "running", "done", "stopped" (early, by the pruner) or "failed".
        values: the options in which it differs; None before it was begun.
        score: of a run that is done; of one that was stopped, its last.
        reason: why it failed.
        result: what `work`'s function returned beside the score.
    """

    number: int
    state: str
    values: dict[str, Any] | None = None
    score: float | None = None
    reason: str | None = None
    result: Any = None

    @property
    def has_ended(self) -> bool:
        """Whether there is nothing left to do."""
        return self.state in ("done", "stopped", "failed")


def state_of(number: int, attempts: Sequence[Any]) -> TrialState:
    """How far a run is.

    Args:
        number: of the run.
        attempts: Optuna's trials of it, the oldest first.
    """
    for trial in filter(has_ended, attempts):
        kept = trial.user_attrs
        values, result = kept.get(VALUES), kept.get(RESULT)
        if trial.state.name == "COMPLETE":
            return TrialState(number, "done", values, trial.value, result=result)
        if trial.state.name == "PRUNED":
            return TrialState(number, "stopped", values, kept.get(SCORE), result=result)
        return TrialState(number, "failed", values, reason=kept[REASON])
    running = next((trial for trial in attempts if trial.state.name == "RUNNING"), None)
    if running is not None:
        return TrialState(number, "running", running.user_attrs.get(VALUES))
    if is_hopeless(attempts) and not any(map(is_live, attempts)):
        return TrialState(number, "failed", reason=f"its process died {_ATTEMPTS} times at the same epoch")
    return TrialState(number, "waiting")


def is_live(trial: Any) -> bool:
    """Whether a trial is at work, or waits to be."""
    return trial.state.name in ("WAITING", "RUNNING")


def has_ended(trial: Any) -> bool:
    """Whether a trial ended its run; one whose process died did not."""
    return trial.state.name in ("COMPLETE", "PRUNED") or (trial.state.name == "FAIL" and REASON in trial.user_attrs)


def is_hopeless(attempts: Sequence[Any]) -> bool:
    """Whether so many processes died in a run since it last got on that it is to blame."""
    reached = [trial.user_attrs.get(_EPOCH) for trial in attempts if not trial.user_attrs.get(GIVEN_BACK)]
    return bool(reached) and reached.count(reached[-1]) >= _ATTEMPTS
