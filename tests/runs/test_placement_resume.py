"""A folder that has a run: refused, resumed, or taken over where the run ended without results."""

import re

import pytest
from placements import begun, finished, options

from gluon_attn.config.ean import EanSearchConfig, SupernetConfig
from gluon_attn.config.files import merge
from gluon_attn.config.run_kind import TITLES, held_kind
from gluon_attn.config.search import AnasConfig, AttDartsConfig
from gluon_attn.config.train import RunConfig
from gluon_attn.engine.backend import Backend
from gluon_attn.runs.folder import RunFolder
from gluon_attn.runs.options import Options
from gluon_attn.runs.placement import placed
from gluon_attn.runs.train import describing
from gluon_attn.utils.errors import UserError
from gluon_attn.utils.files import write_json

pytestmark = pytest.mark.usefixtures("here")
WRONG = {"train": {"run_dir": "mine"}, "optim": {"lr": 7.0}}


def test_a_second_run_in_a_folder_is_refused_unless_it_resumes():
    finished(train={"run_dir": "mine"})
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


@pytest.mark.parametrize("resume", [None, "auto"])
def test_a_run_without_results_makes_room_for_the_corrected_command(resume):
    """The log of the failed one is kept, and what the user has there."""
    failed = begun(**WRONG)
    write_json(failed.card_file, {"of": "the failed run"})
    (failed.path / "notes.txt").write_text("x")
    leftover = failed.path / ".best.params.x"
    leftover.mkdir()
    (leftover / ".gluon_attn-scratch").touch()
    corrected = {"train": {"run_dir": "mine", "resume": resume}, "optim": {"lr": 0.5}}
    with placed(Options(RunConfig, given=corrected), Backend()) as place, describing(place, Backend()):
        assert (place.resumed, place.config.optim.lr) == (False, 0.5)
    assert sorted(path.name for path in failed.path.iterdir()) == [".lock", "config.yaml", "log.txt", "notes.txt"]
    assert failed.read_config().optim.lr == 0.5
    lines = failed.log_file.read_text().splitlines()
    assert lines[0].endswith("WARNING begun")
    what = (
        "starting it anew with other options (optim.lr)" if resume else "this one takes its place and continues its log"
    )
    assert [line.partition("WARNING ")[2] for line in lines[1:]] == [
        f"the run in mine ended before its first checkpoint: {what}"
    ]


def test_resuming_a_run_without_results_says_that_it_starts_from_the_beginning():
    begun(**WRONG)
    with placed(options(run_dir="mine", resume="auto"), Backend()) as place, describing(place, Backend()):
        assert (place.resumed, place.config.optim.lr) == (True, 7.0)
    assert place.notes == ("the run in mine ended before its first checkpoint: starting it anew",)


@pytest.mark.parametrize("name", ["checkpoints/epoch-0001", "params/x-0010.params", "best.params", "state/ean"])
def test_what_can_be_lost_is_kept(name):
    file = begun(**WRONG).path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("x")
    for resume, error in ((None, "already holds a run"), ("auto", r"made with other options \(optim.lr\)")):
        corrected = {"train": {"run_dir": "mine", "resume": resume}, "optim": {"lr": 0.5}}
        with pytest.raises(UserError, match=error), placed(Options(RunConfig, given=corrected), Backend()):
            pass
    assert file.read_text() == "x"


def test_a_run_with_results_is_resumed_rather_than_a_newer_one_without():
    with_results = finished()
    begun()
    with placed(options(resume="auto"), Backend()) as place:
        assert place.path == with_results.path


def test_a_folder_that_another_run_used_in_the_meantime_is_not_taken_over(monkeypatch):
    """Its run ended between the look into the folder and the lock."""
    folder = begun(**WRONG)
    locked = RunFolder.locked

    def late(self, created=False):
        folder.metrics_file.write_text('{"epoch": 0}\n')
        return locked(self, created)

    monkeypatch.setattr(RunFolder, "locked", late)
    with pytest.raises(UserError, match="mine already holds a run"), placed(options(run_dir="mine"), Backend()):
        pass


CONFIGS = (RunConfig, SupernetConfig, AttDartsConfig, AnasConfig, EanSearchConfig)


@pytest.mark.parametrize(("held", "asked"), [(a, b) for a in CONFIGS for b in CONFIGS if a is not b])
@pytest.mark.parametrize("resume", [None, "auto"])
def test_a_folder_of_another_kind_of_run_says_so(held, asked, resume):
    finished(held, train={"run_dir": "mine"})
    given = {"train": {"run_dir": "mine", "resume": resume}}
    with (
        pytest.raises(UserError, match=re.escape(f"mine holds {TITLES[held.kind]}, not {TITLES[asked.kind]}")),
        placed(Options(asked, given=given), Backend()),
    ):
        pass


@pytest.mark.parametrize("held", CONFIGS)
def test_kinds_are_known_without_the_first_line_too(held):
    """Earlier versions did not write it; a supernet's options are those of a training run."""
    folder = begun(held, train={"run_dir": "mine"})
    text = folder.config_file.read_text()
    assert text.startswith(f"# options of {held.kind}\n")
    folder.config_file.write_text(text.partition("\n")[2])
    assert held_kind("mine") == ("train" if held is SupernetConfig else held.kind)
    with placed(Options(held, given={"train": {"run_dir": "mine", "resume": "auto"}}), Backend()) as place:
        assert place.resumed


STRETCHED = [
    ({"optim": {"lr_mode": "cosine"}}, "the learning rate (cosine schedule)"),
    ({"optim": {"lr_mode": "poly"}}, "the learning rate (poly schedule)"),
    ({"train": {"drop_path_prob": 0.2}}, "the drop-path probability"),
    ({"data": {"dataset": "digits", "progressive_size": [16]}}, "the sizes of the images"),
    ({"data": {"mixup": True, "mixup_off_epoch": 3}}, "the final epochs without mixup and cutmix"),
    ({"optim": {"lr_mode": "step"}}, None),
]


@pytest.mark.parametrize(("given", "what"), STRETCHED)
def test_a_schedule_that_is_stretched_is_said(given, what):
    first = merge({"train": {"run_dir": "mine", "num_epochs": 10}}, given)
    folder = finished(**first)
    for epochs, before in ((20, 10), (20, 20)):
        again = merge(first, {"train": {**first["train"], "resume": "auto", "num_epochs": epochs}})
        with placed(Options(RunConfig, given=again), Backend()) as place, describing(place, Backend()):
            pass
        line = f"num_epochs {before} -> {epochs}: from here on {what} as in a run of {epochs} epochs"
        line = line if what else f"num_epochs {before} -> {epochs}: the learning rate (step schedule) stays as it was"
        assert place.notes == ((line,) if before != epochs else ())
    assert folder.log_file.read_text().count("num_epochs 10 -> 20") == 1


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
