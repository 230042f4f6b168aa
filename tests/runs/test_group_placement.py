"""Where commands that make several runs put them, and random search, which makes several trainings."""

import json
from types import SimpleNamespace

import pytest

from gluon_attn.config.search import AnasConfig
from gluon_attn.config.train import RunConfig
from gluon_attn.engine.backend import Backend
from gluon_attn.runs import random_search as module
from gluon_attn.runs.folder import RunFolder
from gluon_attn.runs.group_placement import group_placed
from gluon_attn.runs.options import Options
from gluon_attn.runs.placement import placed
from gluon_attn.runs.random_search import random_search
from gluon_attn.utils.errors import UserError

pytestmark = pytest.mark.usefixtures("here")


def options(**given):
    return Options(AnasConfig, {"optim": {"optimizer": "sgd"}}, given=given)


def group(lr=0.1, **train):
    """`group_placed` for two searches, of seeds 1 and 2."""
    whole = options(train=train, optim={"lr": lr})
    parts = {f"seed-{seed}": whole.override("train.seed", seed) for seed in (1, 2)}
    return group_placed(whole.config(), Backend(), parts, "-seeds")


def begin(folder, results=True, lr=0.1):
    """Let seed 1 begin in a folder, and finish an epoch if it has results."""
    own = options(train={"seed": 1, "run_dir": str(folder.below("seed-1").path)}, optim={"lr": lr})
    with placed(own, Backend()) as place:
        place.folder.describe(place.config)
    if results:
        place.folder.metrics_file.write_text('{"epoch": 0}\n')
    return folder


def test_each_command_gets_a_folder_of_its_own(tmp_path):
    with group() as first, group() as second:
        assert [folder.path.name for folder in (first, second)] == ["anas-cifar10-seeds", "anas-cifar10-seeds-2"]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_named_has_one_command_at_a_time():
    with group(run_dir="mine"), pytest.raises(UserError, match="mine is in use by another run"), group(run_dir="mine"):
        pass


def test_results_are_not_written_over():
    """Neither those of a part, which would show hours later, nor those of the whole, for other seeds."""
    with group(run_dir="mine") as folder:
        begin(folder)
    with pytest.raises(UserError, match="mine/seed-1 already holds a run"), group(run_dir="mine"):
        pass
    (folder.path / "seed-1").rename(folder.path / "seed-7")
    folder.seeds_file.write_text("{}")
    with pytest.raises(UserError, match="mine already holds a run"), group(run_dir="mine"):
        pass
    with group(run_dir="mine", resume="auto") as again:
        assert again.path == folder.path


def test_one_without_results_makes_room():
    with group(run_dir="mine") as folder:
        begin(folder, results=False)
    with group(run_dir="mine") as again:
        assert again.path == folder.path


def test_the_newest_folder_with_the_same_options_is_resumed():
    folders = []
    for lr in (0.1, 0.2):
        with group(lr) as folder:
            folders.append(begin(folder, lr=lr).path)
    for lr, path in zip((0.1, 0.2), folders, strict=True):
        with group(lr, resume="auto") as again:
            assert again.path == path
    with group(0.3, resume="auto") as new:
        assert new.path.name == "anas-cifar10-seeds-3"


def test_one_run_and_several_are_told_apart():
    with placed(Options(RunConfig, given={"train": {"run_dir": "one"}}), Backend()) as place:
        place.folder.describe(place.config)
    place.folder.metrics_file.write_text('{"epoch": 0}\n')
    for resume in (None, "auto"):
        with (
            pytest.raises(UserError, match="one holds a training run, not several runs"),
            group(run_dir="one", resume=resume),
        ):
            pass
    with group(run_dir="mine") as folder:
        begin(folder)
    with (
        pytest.raises(UserError, match=r"mine holds several runs \(seed-1\): name one of them"),
        placed(options(train={"run_dir": "mine", "resume": "auto"}), Backend()),
    ):
        pass


def test_a_random_search_resumes_after_the_last_genotype_that_was_trained(monkeypatch):
    """It ends as one that was not interrupted, and trains none twice."""
    trained = []

    def retrain(config, genotype, backend, seed, warned):
        if len(trained) == stop:
            raise KeyboardInterrupt
        trained.append(seed)
        return (seed % 97) / 97

    monkeypatch.setattr(module, "retrain", retrain)
    monkeypatch.setattr(module, "budget", lambda *_: 5)
    monkeypatch.setattr(module, "macs", lambda *_: 1)
    source = SimpleNamespace(name="few", train=range(9), classes=3, input_shape=(3, 8, 8))
    monkeypatch.setattr(module, "open_dataset", lambda *_: source)

    def run(folder, **train):
        given = {"search": {"random_search": True, "retrain_epochs": 1}, "train": {"run_dir": folder, **train}}
        return random_search(options(**given), Backend())

    stop = 99
    whole = run("whole")
    seeds, stop = trained[:], len(trained) + 2
    with pytest.raises(KeyboardInterrupt):
        run("stopped")
    stop = 99
    resumed = run("stopped", resume="auto")
    assert trained == seeds * 2
    assert resumed.rows == whole.rows
    for file in ("random_file", "genotype_file"):
        one, other = (json.loads(getattr(RunFolder(name), file).read_text()) for name in ("whole", "stopped"))
        assert one == other
    assert RunFolder("stopped").log_file.is_file()
    with pytest.raises(UserError, match=r"made with other options \(search.retrain_epochs\)"):
        random_search(
            options(search={"random_search": True, "retrain_epochs": 2}, train={"run_dir": "whole", "resume": "auto"}),
            Backend(),
        )
