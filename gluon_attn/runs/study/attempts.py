"""What the rest of the package sees of the trials of a study: an attempt at a run, and how far each run is."""

from dataclasses import dataclass
from typing import Any


class Interrupted(Exception):
    """A trial ends without a result and without a fault of its own: its run is attempted again."""


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

    def report(self, score: float, epoch: int) -> bool:
        """Report the score of an epoch; returns whether the run is to end, since others were better by then."""
        self._trial.report(score, epoch)
        self.stopped_early = self._trial.should_prune()
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
