"""Which folder a run goes into: every process that starts gets one of its own, and a folder has one run at a time."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from placements import options

from gluon_attn.config.train import RunConfig
from gluon_attn.engine.backend import Backend
from gluon_attn.runs.options import Options
from gluon_attn.runs.placement import placed, take_unused
from gluon_attn.utils.child_process import child_environment
from gluon_attn.utils.errors import UserError

pytestmark = pytest.mark.usefixtures("here")

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


def takers(count, run_dir=""):
    """What `count` processes that start together say of their folders."""
    command = [sys.executable, "-c", TAKER, run_dir]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(command, env=child_environment(PYTHONPATH=str(ROOT)), **pipes) for _ in range(count)]
    said = [process.stdout.readline().strip() for process in started]
    for process in started:
        process.communicate("", timeout=60)
    return said


def test_an_option_without_effect_is_a_line_of_the_log():
    given = {"optim": {"lr_mode": "step", "target_lr": 0.01}, "data": {"mixup_alpha": 1.0}}
    with placed(Options(RunConfig, given=given), Backend()) as place:
        assert place.notes == (
            "option mixup_alpha has no effect: it needs option mixup",
            "option target_lr has no effect: it needs option lr_mode cosine or poly",
        )


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


def test_other_processes_learn_which_folder_the_first_has_taken(tmp_path):
    class Second(Backend):
        rank, size = 1, 2

        def allreduce_sum(self, numbers):
            return [3]  # the first process got NAME-3

    with placed(options(), Second()) as place:
        assert place.folder.path.name == "cifar10-cifar_resnet20_v1-3"
    assert not (tmp_path / "runs").exists()


def test_a_refused_run_leaves_no_folders(tmp_path):
    with placed(options(run_dir="a/b/c"), Backend()):
        pass
    assert not list(tmp_path.iterdir())


def test_numbers_go_up(tmp_path):
    assert [take_unused(tmp_path / "a").name for _ in range(3)] == ["a", "a-2", "a-3"]
    assert take_unused(Path()) == tmp_path.with_name(f"{tmp_path.name}-2")
    with pytest.raises(UserError, match="/ has no name to number"):
        take_unused(Path("/"))


def test_resume_takes_auto_only():
    with (
        pytest.raises(UserError, match="option resume takes auto, got 'yes'"),
        placed(options(resume="yes"), Backend()),
    ):
        pass
