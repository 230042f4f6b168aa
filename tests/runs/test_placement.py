"""Where runs go: every process that starts gets a folder of its own, and a folder has one run at a time."""

import subprocess
import sys

import pytest
from conftest import ROOT

from gluon_attn.config.train import RunConfig
from gluon_attn.engine.backend import Backend
from gluon_attn.runs.folder import RunFolder
from gluon_attn.runs.options import Options
from gluon_attn.runs.placement import placed, take_unused, unused
from gluon_attn.utils.errors import UserError

#: takes a folder, says which, and waits for the end of its input
TAKER = """
import sys
from gluon_attn.config.train import RunConfig
from gluon_attn.engine.backend import Backend
from gluon_attn.runs.options import Options
from gluon_attn.runs.placement import placed
from gluon_attn.utils.errors import UserError
try:
    with placed(Options(RunConfig, given={"train": {"run_dir": sys.argv[1] or None}}), Backend()) as place:
        print(place.folder, flush=True)
        sys.stdin.read()
except UserError as error:
    print("refused:", error, flush=True)
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def options(**train):
    return Options(RunConfig, given={"train": train})


def takers(count, run_dir=""):
    """What `count` processes that start together say of their folders."""
    command = [sys.executable, "-c", TAKER, run_dir]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(command, env=environment(), **pipes) for _ in range(count)]
    said = [process.stdout.readline().strip() for process in started]
    for process in started:
        process.communicate("", timeout=60)
    return said


def environment():
    from gluon_attn.utils.child_process import child_environment

    return child_environment(PYTHONPATH=str(ROOT))


def test_runs_that_start_together_get_folders_of_their_own(tmp_path):
    name = "runs/cifar10-cifar_resnet20_v1"
    assert sorted(takers(3)) == [name, f"{name}-2", f"{name}-3"]
    assert not (tmp_path / "runs").exists()  # they wrote nothing, so nothing is left


def test_a_folder_has_one_run_at_a_time():
    said = takers(2, "mine")
    assert sorted(said) == ["mine", "refused: mine is in use by another run: choose another option run_dir, or wait"]


def test_a_run_that_wrote_something_keeps_its_folder(tmp_path):
    with placed(options(), Backend()) as place:
        place.folder.describe(place.config)
    assert place.folder.holds_run
    with placed(options(), Backend()) as second:
        assert second.folder.path.name == f"{place.folder.path.name}-2"


def test_a_folder_that_was_there_is_left_as_it_was(tmp_path):
    for name in ("empty", "mine"):
        (tmp_path / name).mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    for name in ("empty", "mine", "new"):
        with placed(options(run_dir=name), Backend()):
            pass
    assert (tmp_path / "mine" / "notes.txt").read_text() == "x"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "mine"]


def test_a_second_run_in_a_folder_is_refused_unless_it_resumes():
    with placed(options(run_dir="mine"), Backend()) as place:
        place.folder.describe(place.config)
    with (
        pytest.raises(UserError, match="mine already holds a run: give option resume auto"),
        placed(options(run_dir="mine"), Backend()),
    ):
        pass
    with placed(options(run_dir="mine", resume="auto"), Backend()) as again:
        assert again.resumed
    changed = Options(RunConfig, given={"train": {"run_dir": "mine", "resume": "auto"}, "optim": {"lr": 7.0}})
    with pytest.raises(UserError, match=r"mine was made with other options \(optim.lr\)"), placed(changed, Backend()):
        pass


def test_without_a_folder_the_newest_run_with_the_same_options_is_resumed():
    for _ in range(2):
        with placed(options(), Backend()) as place:
            place.folder.describe(place.config)
    with placed(options(resume="auto"), Backend()) as again:
        assert (again.folder.path, again.resumed) == (place.folder.path, True)


def test_other_processes_learn_which_folder_the_first_has_taken(tmp_path):
    class Second(Backend):
        rank, size = 1, 2

        def allreduce_sum(self, numbers):
            return [3]  # the first process got NAME-3

    with placed(options(), Second()) as place:
        assert place.folder.path.name == "cifar10-cifar_resnet20_v1-3"
    assert not (tmp_path / "runs").exists()


def test_numbers_go_up(tmp_path):
    assert [take_unused(tmp_path / "a").name for _ in range(3)] == ["a", "a-2", "a-3"]
    assert unused(tmp_path / "a").name == "a-4"


def test_resume_takes_auto_only():
    with (
        pytest.raises(UserError, match="option resume takes auto, got 'yes'"),
        placed(options(resume="yes"), Backend()),
    ):
        pass


def test_a_folder_knows_what_is_wrong_with_its_files(tmp_path):
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(UserError, match=r"run is not a run folder: it has no config\.yaml"):
        folder.read_options()
    folder.describe(RunConfig())
    assert folder.read_options()["optim.lr"] == 0.1
    with pytest.raises(UserError, match="the run has not finished an epoch"):
        folder.read_history()
    folder.metrics_file.write_text('{"epoch": "x"}\n')
    with pytest.raises(UserError, match="is damaged: every line must be a JSON object with an epoch"):
        folder.read_history()
