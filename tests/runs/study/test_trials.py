"""Trials of a study: each run once, in one process or several, also when processes die."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import postgres
import pytest

pytest.importorskip("optuna", reason="needs Optuna")

from gluon_attn.config.scores import Score
from gluon_attn.config.train import RunConfig
from gluon_attn.runs.options import Options
from gluon_attn.runs.study import storage
from gluon_attn.runs.study.attempts import Halted, Interrupted
from gluon_attn.runs.study.plan import StudyPlan
from gluon_attn.runs.study.space import Distribution, Factor
from gluon_attn.runs.study.trials import Trials
from gluon_attn.utils.child_process import child_environment
from gluon_attn.utils.errors import UserError

ATTENTIONS = Factor("model.attention", (None, "se", "eca"))
RATE = Distribution("optim.lr", "log_uniform", 0.01, 1)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/study.db"


def plan(*space, **changes):
    return StudyPlan(Options(RunConfig), space or (ATTENTIONS,), **changes)


def works(url, plan, run, **options):
    """The states after `run` has made all attempts."""
    trials = Trials(url, "study", plan)
    trials.work(run, **options)
    return Trials(url, "study", plan).states()


def test_a_grid_is_run_once_and_not_again(url):
    made = []

    def run(attempt):
        made.append((attempt.number, attempt.values))
        return attempt.number / 10, {"some": "thing"}

    for _ in range(2):
        states = works(url, plan(seeds=(1, 2)), run)
    values = [{"model.attention": name} for name in (None, "se", "eca")]
    assert made == list(enumerate([*values, *values]))
    assert [(state.number, state.state, state.score) for state in states] == [
        (number, "done", number / 10) for number in range(6)
    ]
    assert states[1].result == {"some": "thing"}
    assert states[1].values == {"model.attention": "se"}


def test_more_seeds_add_runs_only(url):
    made = []
    for seeds in ((1,), (1, 2)):
        works(url, plan(seeds=seeds), lambda attempt: (made.append(attempt.number) or 0.5, None))
    assert made == list(range(6))


def test_a_random_search_follows_from_the_seed(tmp_path):
    found = []
    for name in ("a", "b"):
        chosen = plan(ATTENTIONS, RATE, method="random", count=4)
        states = works(f"sqlite:///{tmp_path}/{name}.db", chosen, lambda attempt: (0.5, None))
        found.append([state.values for state in states])
    assert found[0] == found[1]
    assert len({one["optim.lr"] for one in found[0]}) == 4
    assert all(0.01 <= one["optim.lr"] <= 1 for one in found[0])


def test_a_bayesian_search_finds_what_is_good(url):
    def run(attempt):
        return abs(attempt.values["optim.lr"] - 0.1) + 3 * (attempt.values["model.attention"] != "eca"), None

    chosen = plan(ATTENTIONS, RATE, method="bayes", count=40, score=Score("val_loss", "test loss", False))
    states = works(url, chosen, run)
    assert states[:12] == works(f"{url}-again", chosen, run, stop=lambda states: states[11].has_ended)[:12]
    late = [state.values["model.attention"] for state in states[20:]]
    assert late.count("eca") > 20 / 2
    assert min(state.score for state in states) < 0.05


def test_what_matters_most_is_the_most_important(url):
    def run(attempt):
        return abs(attempt.values["optim.lr"] - 0.1) + 3 * (attempt.values["model.attention"] != "eca"), None

    chosen = plan(ATTENTIONS, RATE, method="random", count=40, score=Score("val_loss", "test loss", False))
    works(url, chosen, run)
    importances = Trials(url, "study", chosen).importances()
    assert set(importances) == {"optim.lr", "model.attention"}
    assert next(iter(importances)) == "model.attention"


def test_bad_runs_are_stopped_early(url):
    def run(attempt):
        score = 1.0 if attempt.number % 3 == 0 else 0.1
        for epoch in range(9):
            if attempt.report(score, epoch + 1, epoch == 8):
                break
        return score, {"epochs": epoch + 1}

    early = {"min_resource": 1, "max_resource": 9, "reduction_factor": 3}
    states = works(url, plan(RATE, method="random", count=30, early=early), run)
    stopped = [state for state in states if state.state == "stopped"]
    assert stopped
    assert all(state.result["epochs"] < 9 for state in stopped)  # one that has all its epochs is done
    good, bad = ([state.state for state in states if (state.score == 1.0) is kind] for kind in (True, False))
    assert bad.count("stopped") / len(bad) > 2 * good.count("stopped") / len(good)


def test_a_failure_is_kept_with_its_reason_and_the_study_goes_on(url):
    def run(attempt):
        if attempt.number == 1:
            raise UserError("no such\nfile")
        return 0.5, None

    for _ in range(2):
        states = works(url, plan(), run)
    assert [(state.state, state.reason) for state in states] == [
        ("done", None), ("failed", "no such file"), ("done", None)
    ]  # fmt: skip


def test_a_study_can_end_before_its_end(url):
    def stop(states):
        return sum(state.has_ended for state in states) == 2

    states = works(url, plan(), lambda attempt: (0.5, None), stop=stop)
    assert [state.state for state in states] == ["done", "done", "waiting"]


def test_a_run_that_is_given_back_is_attempted_again(url):
    given_back = []

    def run(attempt):
        if len(given_back) < 7:
            given_back.append(attempt.number)
            raise Interrupted
        return 0.5, None

    assert [state.state for state in works(url, plan(), run)] == ["done"] * 3


@pytest.mark.parametrize("error", [KeyboardInterrupt, Halted])
def test_ctrl_c_and_a_full_disk_give_the_run_back(url, error):
    def run(attempt):
        if attempt.number == 1 and len(made) < 8:
            made.append(attempt.values)
            raise error
        return 0.5, None

    made = []
    chosen = plan(RATE, method="bayes", count=3, seeds=(1,))
    for _ in range(8):  # more often than a process may die
        with pytest.raises(error):
            works(url, chosen, run)
    states = works(url, chosen, run)
    assert [state.state for state in states] == ["done"] * 3
    assert made == [states[1].values] * 8  # what its folder was begun with


def died(url, number):
    """The newest trial of a run ends as after its process has died."""
    import optuna

    study = optuna.load_study(storage=url, study_name="study")
    trial = [trial for trial in study.get_trials() if trial.user_attrs.get("run") == number][-1]
    study.tell(trial.number, state=optuna.trial.TrialState.FAIL)


@pytest.mark.parametrize(("gets_on", "expected"), [(True, "done"), (False, "failed")])
def test_processes_may_die_as_long_as_the_run_gets_on(url, gets_on, expected):
    def run(attempt):
        if attempt.number == 1 and len(made) < 9:
            made.append(attempt.number)
            attempt.begin(len(made) // 3 if gets_on else 0)
            died(url, 1)
        return 0.5, None

    made = []
    assert [state.state for state in works(url, plan(), run)] == ["done", expected, "done"]
    assert len(made) == (9 if gets_on else 5)


def test_the_result_of_a_process_that_was_taken_for_dead_counts_once(url):
    def run(attempt):
        made.append(attempt.number)
        if made == [0]:
            died(url, 0)
        return attempt.number / 10, None

    made = []
    assert [state.score for state in works(url, plan(), run)] == [0.0, 0.1, 0.2]
    assert sorted(made) == [0, 0, 1, 2]


def test_a_process_that_dies_before_its_run_is_begun_leaves_its_combination(url, monkeypatch):
    def dies(plan, trial):
        raise SystemExit

    chosen = plan(ATTENTIONS, Factor("optim.lr", (0.1, 0.2)))
    with monkeypatch.context() as patch:
        patch.setattr(StudyPlan, "suggest", dies)
        with pytest.raises(SystemExit):
            works(url, chosen, lambda attempt: (0.5, None))
    died(url, 0)
    states = works(url, chosen, lambda attempt: (0.5, None))
    assert [state.values for state in states] == chosen.combinations


WORKER = """
import sys, time
from pathlib import Path
from test_trials import plan
from gluon_attn.runs.study import storage, trials
storage.HEARTBEAT, storage.GRACE = 1, 8

def run(attempt):
    with open(sys.argv[2], "a") as log:
        log.write(f"{sys.argv[3]} {attempt.number}\\n")
    time.sleep(0.4)
    return attempt.number / 10, None

trials.Trials(sys.argv[1], "study", plan(seeds=(1, 2, 3, 4))).work(run, poll=0.2)
"""


def start(url, log, name):
    environment = child_environment(OMP_NUM_THREADS="1")
    environment["PYTHONPATH"] += os.pathsep + os.pathsep.join(
        map(str, (Path(__file__).parent, Path(postgres.__file__).parent))
    )
    return subprocess.Popen([sys.executable, "-c", WORKER, url, str(log), name], env=environment)


def two_workers(url, log, monkeypatch):
    """Two processes share 12 runs; one is killed in a run. Every run must be done once, the interrupted one again."""
    monkeypatch.setattr(storage, "HEARTBEAT", 1)
    monkeypatch.setattr(storage, "GRACE", 8)  # a busy machine may stop a process for some seconds
    processes = [start(url, log, name) for name in ("a", "b")]
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and (not log.exists() or log.read_text().count("a ") < 2):
            time.sleep(0.02)
        time.sleep(0.1)  # in the middle of a run of a
        processes[0].send_signal(signal.SIGKILL)
        assert processes[1].wait(90) == 0
    finally:
        for process in processes:
            process.kill()
            process.wait()
    states = Trials(url, "study", plan(seeds=(1, 2, 3, 4))).states()
    assert [(state.state, state.score) for state in states] == [("done", number / 10) for number in range(12)]
    made = [line.split() for line in log.read_text().splitlines()]
    again = [number for _, number in made if sum(number == other for _, other in made) > 1]
    last = [number for name, number in made if name == "a"][-1]
    assert again in ([last, last], [])  # not made twice, but for the one that was interrupted
    assert sorted({int(number) for _, number in made}) == list(range(12))
    assert [number for name, number in made if name == "a"]


def test_processes_share_a_study_and_take_up_the_run_of_one_that_dies(url, tmp_path, monkeypatch):
    two_workers(url, tmp_path / "log", monkeypatch)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    with postgres.for_tests(tmp_path_factory) as url:
        yield url


def test_the_same_on_a_database_server(database, tmp_path, monkeypatch):
    two_workers(database, tmp_path / "log", monkeypatch)
