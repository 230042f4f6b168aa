"""The trials of a study in an Optuna storage, which several processes and machines share.

Every run of a study has a number. A trial of Optuna is one attempt at one of them: the number is an attribute of the
trial. A trial whose process died (no heartbeat) is failed by Optuna, and its run gets another trial. Where two
processes add trials for the same run at the same moment, the trial with the smaller number counts and the other one
ends at once, so no lock is needed.
"""

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...utils.errors import UserError
from ...utils.seed import derive
from .attempts import (
    GIVEN_BACK,
    REASON,
    RESULT,
    SCORE,
    VALUES,
    Attempt,
    Halted,
    Interrupted,
    TrialState,
    has_ended,
    is_hopeless,
    is_live,
    state_of,
)  # fmt: skip
from .plan import StudyPlan
from .space import QUANTILE
from .storage import errors, library, one_line, open_storage, shown, storage_errors

_STREAM = 43  # of the random numbers of a Bayesian search
#: attributes of a trial: the number of its run, whether another trial has that; of the study: what it runs
_NUMBER, _NEEDLESS, _PLAN = "run", "needless", "plan"


class _Failed(Exception):
    """An attempt that failed, and whose trial has the reason."""


class Trials:
    """The trials of one study.

    Args:
        url: of the storage, as SQLAlchemy and Optuna take it.
        name: of the study in the storage.
        plan: what it runs.
        new: whether the study may be made; otherwise it must be there.

    Raises:
        UserError: the storage cannot be opened, or has another study of that name, or none that must be there.
    """

    def __init__(self, url: str, name: str, plan: StudyPlan, new: bool = True) -> None:
        self._url, self._plan = url, plan
        self._optuna = library()
        self._optuna.logging.set_verbosity(self._optuna.logging.CRITICAL)
        with self._quiet():
            storage = open_storage(url, new)
            with errors(url):
                self._study = self._open(storage, name, new)
                self._check_plan(name)

    def _open(self, storage, name, new):
        options = {"study_name": name, "storage": storage, "pruner": self._pruner(self._plan.early)}
        if new:
            direction = "maximize" if self._plan.score.higher_is_better else "minimize"
            return self._optuna.create_study(direction=direction, load_if_exists=True, **options)
        try:
            return self._optuna.load_study(**options)
        except KeyError:
            raise UserError(
                f"{shown(self._url)} has no study {name}, whose runs are in its folder: name the storage that has it, "
                "option storage, or another folder, option output"
            ) from None

    def _check_plan(self, name):
        """See that the study is this one; a folder of that name elsewhere may have begun another one."""
        known, plan = self._study.user_attrs.get(_PLAN), self._plan.to_dict()
        found = self._plan if known in (None, plan) else StudyPlan.from_dict(known)
        changed = self._plan.conflict(found)
        if changed:
            raise UserError(f"{shown(self._url)} has a study {name} with {changed}: name another folder, option output")
        if known is None or len(self._plan) > len(found):
            self._study.set_user_attr(_PLAN, plan)

    def _pruner(self, early):
        pruners = self._optuna.pruners
        return pruners.NopPruner() if early is None else pruners.HyperbandPruner(**early)

    def states(self) -> list[TrialState]:
        """The state of every run."""
        with errors(self._url):
            by_number = self._by_number()
        return [state_of(number, by_number.get(number, [])) for number in range(len(self._plan))]

    def importances(self) -> dict[str, float]:
        """Importance of each varied option for the score, the largest first; {} where there are too few runs."""
        unknown = ValueError, RuntimeError, ZeroDivisionError, UserWarning
        with errors(self._url), self._quiet(), contextlib.suppress(*unknown):
            for few in ("The number of trials is too small", "Target and region quantiles"):
                warnings.filterwarnings("error", few)
            found = self._optuna.importance.get_param_importances(self._study)
            return {key.removesuffix(QUANTILE): value for key, value in found.items()}
        return {}

    def work(
        self,
        run: Callable[[Attempt], tuple[float, Any]],
        stop: Callable[[Sequence[TrialState]], bool] = lambda states: False,
        poll: float = 1.0,
    ) -> None:
        """Attempt runs, one after another, until all have ended, here or in other processes.

        Args:
            run: makes an attempt, and returns (score, plain data to keep). An error is kept as the reason why the run
                failed; `Interrupted` gives the run back.
            stop: whether to end before all runs have ended.
            poll: seconds between looks at the storage while other processes have the last runs.

        Raises:
            Halted: as `run` raised it; its run is given back.
            UserError: the storage cannot be used.
        """
        with errors(self._url), self._quiet():
            while True:
                self._add_missing()
                states = self.states()
                if stop(states) or all(state.has_ended for state in states):
                    return
                if any(state.state == "waiting" for state in states):
                    self._attempt_next(run)
                else:
                    time.sleep(poll)
                    self._optuna.storages.fail_stale_trials(self._study)

    def _attempt_next(self, run):
        """Attempt the run whose turn it is. Where this process was taken for dead by then, it gets another trial."""
        try:
            self._study.optimize(lambda trial: self._attempt(trial, run), n_trials=1, catch=(_Failed, Interrupted))
        except self._optuna.exceptions.UpdateFinishedTrialError:
            pass
        except AssertionError as error:  # which Optuna puts in place of what kept it from ending the trial
            raise error.__context__ or error  # noqa: B904 - it has a cause of its own
        except ValueError as error:  # Optuna has no class for it
            if not str(error).startswith("Cannot tell a "):
                raise

    def _attempt(self, trial, run):
        number = trial.user_attrs.get(_NUMBER)
        if number is None or self._is_needless(trial, number):
            trial.set_user_attr(_NEEDLESS, True)
            raise Interrupted
        seed = derive(self._plan.seeds[0], _STREAM, number)  # so that the search can be repeated
        self._study.sampler = self._optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        values = self._plan.suggest(trial)
        trial.set_user_attr(VALUES, values)
        attempt = Attempt(number, values, trial)
        try:
            score, result = run(attempt)
        except (Interrupted, Halted, KeyboardInterrupt):
            trial.set_user_attr(GIVEN_BACK, True)
            raise
        except (*storage_errors(), self._optuna.exceptions.UpdateFinishedTrialError):
            raise
        except Exception as error:
            trial.set_user_attr(REASON, one_line(error))
            raise _Failed from error
        trial.set_user_attr(RESULT, result)
        if attempt.stopped_early:
            trial.set_user_attr(SCORE, score)
            raise self._optuna.TrialPruned
        return score

    def _is_needless(self, trial, number):
        """Whether an earlier trial has this run."""
        earlier = [other for other in self._by_number().get(number, []) if other.number < trial.number]
        return any(is_live(other) or has_ended(other) for other in earlier)

    def _add_missing(self):
        by_number = self._by_number()
        for number in range(len(self._plan)):
            attempts = by_number.get(number, [])
            if any(map(is_live, attempts)) or any(map(has_ended, attempts)) or is_hopeless(attempts):
                continue
            begun: dict[str, Any] = next((trial.params for trial in reversed(attempts) if trial.params), {})
            self._study.enqueue_trial(self._plan.stored(number) or begun, user_attrs={_NUMBER: number})

    def _by_number(self):
        """Number of a run -> its trials, needless ones left out, oldest first."""
        found: dict[int, list] = {}
        for trial in sorted(self._study.get_trials(deepcopy=False), key=lambda trial: trial.number):
            number = trial.user_attrs.get(_NUMBER)
            if number is not None and not trial.user_attrs.get(_NEEDLESS):
                found.setdefault(number, []).append(trial)
        return found

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """Optuna's heartbeat is marked as experimental, which is no news to a user."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", self._optuna.exceptions.ExperimentalWarning)
            yield
