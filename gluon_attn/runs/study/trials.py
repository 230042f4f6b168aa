"""The trials of a study in an Optuna storage, which several processes and machines share.

Every run of a study has a number. A trial of Optuna is one attempt at one of them: the number is an attribute of the
trial. A trial whose process died (no heartbeat) is failed by Optuna, and its run gets another trial. Where two
processes add trials for the same run at the same moment, the trial with the smaller number counts and the other one
ends at once, so no lock is needed.
"""

import contextlib
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...utils.errors import UserError
from ...utils.optional import require
from .attempts import Attempt, Interrupted, TrialState
from .plan import StudyPlan
from .space import QUANTILE

#: seconds between signs of life of a running trial, and after how many without one it is taken for dead
HEARTBEAT, GRACE = 5, 20
#: so many attempts of one run may die without an error, such as by a crash of the process
_ATTEMPTS = 5
_TRIES = 5  # at opening a storage
_NUMBER, _VALUES, _REASON, _RESULT, _SCORE, _NEEDLESS = "run", "values", "reason", "result", "score", "needless"


class Trials:
    """The trials of one study.

    Args:
        url: of the storage, as SQLAlchemy and Optuna take it.
        name: of the study in the storage.
        plan: what it runs.

    Raises:
        UserError: the storage cannot be opened.
    """

    def __init__(self, url: str, name: str, plan: StudyPlan) -> None:
        self._url, self._plan = url, plan
        self._optuna = require("optuna")
        self._optuna.logging.set_verbosity(self._optuna.logging.CRITICAL)
        with self._errors(url), self._quiet():
            storage = self._open(url)
            self._study = self._optuna.create_study(
                study_name=name,
                storage=storage,
                direction="maximize" if plan.score.higher_is_better else "minimize",
                sampler=self._optuna.samplers.TPESampler(seed=plan.seeds[0] + os.getpid(), constant_liar=True),
                pruner=self._pruner(plan.early),
                load_if_exists=True,
            )

    def _pruner(self, early):
        pruners = self._optuna.pruners
        return pruners.NopPruner() if early is None else pruners.HyperbandPruner(**early)

    def _open(self, url):
        """The storage; where several processes make its tables at once, one succeeds and the others look again."""
        import sqlalchemy.exc

        for _ in range(_TRIES):
            try:
                return self._optuna.storages.RDBStorage(
                    url, heartbeat_interval=HEARTBEAT, grace_period=GRACE, engine_kwargs=_engine(url)
                )
            except (sqlalchemy.exc.IntegrityError, sqlalchemy.exc.ProgrammingError) as error:
                found = error
                time.sleep(0.5)
        raise found

    def states(self) -> list[TrialState]:
        """The state of every run."""
        with self._errors(self._url):
            by_number = self._by_number()
        return [self._state(number, by_number.get(number, [])) for number in range(len(self._plan))]

    def importances(self) -> dict[str, float]:
        """Importance of each varied option for the score, the largest first; {} where there are too few runs."""
        with self._errors(self._url), self._quiet(), contextlib.suppress(ValueError, RuntimeError, ZeroDivisionError):
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
        """
        with self._errors(self._url), self._quiet():
            while True:
                self._add_missing()
                states = self.states()
                if stop(states) or all(state.has_ended for state in states):
                    return
                if any(state.state == "waiting" for state in states):
                    self._study.optimize(lambda trial: self._attempt(trial, run), n_trials=1, catch=(Exception,))
                else:
                    time.sleep(poll)
                    self._optuna.storages.fail_stale_trials(self._study)

    def _attempt(self, trial, run):
        number = trial.user_attrs.get(_NUMBER)
        if number is None or self._is_needless(trial, number):
            trial.set_user_attr(_NEEDLESS, True)
            raise Interrupted
        values = self._plan.suggest(trial)
        trial.set_user_attr(_VALUES, values)
        attempt = Attempt(number, values, trial)
        try:
            score, result = run(attempt)
        except Interrupted:
            trial.set_user_attr(_NEEDLESS, True)  # no attempt that died
            raise
        except Exception as error:
            trial.set_user_attr(_REASON, _line(error))
            raise
        trial.set_user_attr(_RESULT, result)
        if attempt.stopped_early:
            trial.set_user_attr(_SCORE, score)
            raise self._optuna.TrialPruned
        return score

    def _is_needless(self, trial, number):
        """Whether an earlier trial has this run."""
        earlier = [other for other in self._by_number().get(number, []) if other.number < trial.number]
        return any(self._is_live(other) or self._has_ended(other) for other in earlier)

    def _add_missing(self):
        by_number = self._by_number()
        for number in range(len(self._plan)):
            attempts = by_number.get(number, [])
            if any(self._is_live(trial) or self._has_ended(trial) for trial in attempts) or len(attempts) >= _ATTEMPTS:
                continue
            known = attempts[-1].params if attempts else self._plan.stored(number)
            self._study.enqueue_trial(known, user_attrs={_NUMBER: number})

    def _by_number(self):
        """Number of a run -> its trials, needless ones left out, oldest first."""
        found: dict[int, list] = {}
        for trial in sorted(self._study.get_trials(deepcopy=False), key=lambda trial: trial.number):
            number = trial.user_attrs.get(_NUMBER)
            if number is not None and not trial.user_attrs.get(_NEEDLESS):
                found.setdefault(number, []).append(trial)
        return found

    def _is_live(self, trial):
        kinds = self._optuna.trial.TrialState
        return trial.state in (kinds.WAITING, kinds.RUNNING)

    def _has_ended(self, trial):
        kinds = self._optuna.trial.TrialState
        return trial.state in (kinds.COMPLETE, kinds.PRUNED) or (
            trial.state == kinds.FAIL and _REASON in trial.user_attrs
        )

    def _state(self, number, attempts):
        kinds = self._optuna.trial.TrialState
        for trial in attempts:
            kept = trial.user_attrs
            values, result = kept.get(_VALUES), kept.get(_RESULT)
            if trial.state == kinds.COMPLETE:
                return TrialState(number, "done", values, trial.value, result=result)
            if trial.state == kinds.PRUNED:
                return TrialState(number, "stopped", values, kept.get(_SCORE), result=result)
            if trial.state == kinds.FAIL and _REASON in kept:
                return TrialState(number, "failed", values, reason=kept[_REASON])
        running = next((trial for trial in attempts if trial.state == kinds.RUNNING), None)
        if running is not None:
            return TrialState(number, "running", running.user_attrs.get(_VALUES))
        if len(attempts) >= _ATTEMPTS and not any(map(self._is_live, attempts)):
            return TrialState(number, "failed", reason=f"its process died {len(attempts)} times")
        return TrialState(number, "waiting")

    @contextlib.contextmanager
    def _errors(self, url: str) -> Iterator[None]:
        """Errors of the storage as one line, without the password in `url`."""
        import sqlalchemy

        try:
            yield
        except KeyError:
            raise UserError(f"{shown(url)} has no such study") from None
        except (sqlalchemy.exc.SQLAlchemyError, self._optuna.exceptions.StorageInternalError) as error:
            cause = getattr(error, "orig", None) or getattr(error.__cause__, "orig", None) or error
            raise UserError(f"cannot use the storage {shown(url)}: {_line(cause)}") from None
        except ImportError:
            driver = "install its driver, such as psycopg2-binary for postgresql+psycopg2"
            raise UserError(f"cannot use the storage {shown(url)}: {driver}") from None
        except ValueError as error:
            raise UserError(f"cannot use the storage {shown(url)}: {_line(error)}") from None

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """Optuna's heartbeat is marked as experimental, which is no news to a user."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", self._optuna.exceptions.ExperimentalWarning)
            yield


def shown(url: str) -> str:
    """A storage URL without its password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "that option storage names"


def _engine(url):
    """Processes wait for each other's turn with an SQLite file."""
    return {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {}


def _line(error):
    return " ".join(str(error).split()) or type(error).__name__
