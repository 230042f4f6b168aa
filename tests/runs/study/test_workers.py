"""Worker processes that really train: one is killed or stopped, and no run is lost, made twice or counted twice."""

import json
import os
import signal
import subprocess
import sys
import time

import postgres
import pytest

pytest.importorskip("optuna", reason="needs Optuna")

from gluon_attn.config.train import RunConfig
from gluon_attn.runs.options import from_keywords
from gluon_attn.runs.study.folder import StudyFolder
from gluon_attn.runs.study.launch import begin
from gluon_attn.runs.study.plan import StudyPlan
from gluon_attn.runs.study.processes import STORAGE
from gluon_attn.runs.study.space import Factor
from gluon_attn.runs.study.worker import open_trials
from gluon_attn.utils.child_process import child_environment
from gluon_attn.utils.files import epochs

EPOCHS = 4
PLAN = StudyPlan(
    from_keywords(RunConfig, {
        "dataset": "synthetic", "train_images": 600, "val_images": 16, "classes": 4, "input_size": 8,
        "batch_size": 50, "num_workers": 0, "model": "atac_cifar_resnet", "blocks": 1, "act_type": "relu",
        "num_epochs": EPOCHS, "save_period": 0, "summary": False,
    }),
    (Factor("optim.lr", (0.01, 0.02)),),
    (1, 2),
)  # fmt: skip
WORKER = """
import sys
from gluon_attn.runs.study import storage, worker
storage.HEARTBEAT, storage.GRACE, worker._PATIENCE = 1, 3, 1
log, name = sys.argv.pop(), sys.argv.pop()
run_one = worker.run_one

def noted(plan, folder, attempt):
    with open(log, "a") as file:
        file.write(f"{name} {attempt.number}\\n")
    return run_one(plan, folder, attempt)

worker.run_one = noted
sys.exit(worker.main())
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    with postgres.for_tests(tmp_path_factory) as url:
        yield url


class Workers:
    """Two workers of a study, named a and b, and what they attempted."""

    def __init__(self, top, url):
        self.folder, self._log = StudyFolder(top / "study"), top / "log"
        begin(self.folder, PLAN, storage=url)
        self.url, environment = url, child_environment(OMP_NUM_THREADS="1", **{STORAGE: url})
        self.processes = {
            name: subprocess.Popen(
                [sys.executable, "-c", WORKER, str(self.folder), name, str(self._log)],
                env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )
            for name in "ab"
        }  # fmt: skip

    @property
    def attempts(self):
        """(name, number of the run), in order."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [(name, int(number)) for name, number in map(str.split, lines)]

    def signal(self, name, number):
        self.processes[name].send_signal(number)

    def epochs(self, number):
        """How many epochs of a run have a checkpoint."""
        found = epochs(self.folder.run(number).checkpoints)
        return int(found[-1].name[6:]) if found else 0

    def wait_for_epoch(self, name):
        """Wait until worker `name` is in the middle of a run, with a checkpoint; returns the run's number."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            mine = [number for worker, number in self.attempts if worker == name]
            if mine and 0 < self.epochs(mine[-1]) < EPOCHS - 1:
                return mine[-1]
            time.sleep(0.005)
        raise AssertionError(self.attempts)

    def check(self):
        """Every run is done and counted once, with every epoch once."""
        states = open_trials(self.folder, self.url)[1].states()
        assert [state.state for state in states] == ["done"] * len(PLAN)
        assert [state.values for state in states] == PLAN.combinations * 2
        for number, state in enumerate(states):
            records = [json.loads(line) for line in self.folder.run(number).metrics_file.read_text().splitlines()]
            assert [record["epoch"] for record in records] == list(range(EPOCHS))
            assert state.score == records[-1]["val_accuracy"]
            assert state.result["epochs"] == EPOCHS


@pytest.fixture
def workers(tmp_path, database):
    url = database.rpartition("/")[0] + "/postgres"
    with postgres.fresh(url) as fresh:
        found = Workers(tmp_path, fresh)
        yield found
        for process in found.processes.values():
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()


def test_the_run_of_a_killed_worker_is_resumed_by_the_other(workers):
    number = workers.wait_for_epoch("a")
    workers.signal("a", signal.SIGKILL)
    workers.processes["a"].wait()
    kept = workers.epochs(number)
    assert workers.processes["b"].wait(90) == 0
    workers.check()
    assert workers.attempts.count(("b", number)) == 1
    once = [one for name, one in workers.attempts if one != number]
    assert sorted(once) == [one for one in range(len(PLAN)) if one != number]
    assert f"resuming after epoch {kept - 1} of" in workers.folder.run(number).log_file.read_text()


@pytest.mark.slow
def test_a_worker_that_is_told_to_end_gives_its_run_back(workers):
    number = workers.wait_for_epoch("a")
    workers.processes["a"].stdin.close()  # what the end of its parent does
    assert workers.processes["a"].wait(20) == 130
    state = open_trials(workers.folder, workers.url)[1].states()[number]
    assert state.state in ("waiting", "running", "done")
    assert workers.processes["b"].wait(90) == 0
    workers.check()


@pytest.mark.slow
def test_a_worker_that_is_taken_for_dead_ends_its_run_and_no_other_makes_it(workers):
    number = workers.wait_for_epoch("a")
    workers.signal("a", signal.SIGSTOP)
    until = time.monotonic() + 90
    while workers.attempts.count(("b", number)) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    workers.signal("a", signal.SIGCONT)
    assert [workers.processes[name].wait(90) for name in "ab"] == [0, 0]
    workers.check()
    assert "resuming" not in workers.folder.run(number).log_file.read_text().partition("epoch 3:")[0]


@pytest.mark.slow
def test_a_server_that_is_started_anew_loses_nothing(workers):
    """Its connections are cut; the workers go on, or end with one line and are started again."""
    workers.wait_for_epoch("a")
    postgres.cut_connections(workers.url)
    codes = [workers.processes[name].wait(90) for name in "ab"]
    said = [process.stdout.read().decode() for process in workers.processes.values()]
    assert all(code == 0 or (code == 2 and "cannot use the storage" in line and os.linesep not in line)
               for code, line in zip(codes, said, strict=True))  # fmt: skip
    assert postgres.PASSWORD not in "".join(said)
    if any(codes):
        pytest.skip("ended with one line")
    workers.check()
