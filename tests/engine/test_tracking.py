"""TensorBoard: what is in its files. W&B: what it is told, that a run goes on under its id, that nothing is asked."""

import contextlib
import struct
import sys
import types

import pytest

from gluon_attn.config.train import RunConfig, TrainConfig
from gluon_attn.engine.classification import Classification
from gluon_attn.engine.tracking import TensorBoard, WeightsAndBiases
from gluon_attn.utils.errors import UserError


class Stand:
    """In wandb's place: notes what it is asked to do."""

    class Error(Exception):
        pass

    def __init__(self, mode="online", logged_in=True, reachable=True):
        self.errors = types.SimpleNamespace(Error=self.Error)
        self.mode, self.logged_in, self.reachable, self.done = mode, logged_in, reachable, []

    def setup(self):
        return types.SimpleNamespace(settings=types.SimpleNamespace(mode=self.mode))

    def login(self, prompt, verify):
        assert not prompt
        return self.logged_in

    def init(self, **options):
        if not self.reachable:
            raise self.Error("no route")
        self.options = options
        return self

    def define_metric(self, name, summary):
        self.done.append((name, summary))

    def log(self, record, step):
        self.done.append((record, step))

    def finish(self, exit_code):
        self.done.append(exit_code)


@pytest.fixture
def stand(monkeypatch):
    def make(**options):
        monkeypatch.setitem(sys.modules, "wandb", Stand(**options))
        return sys.modules["wandb"]

    return make


TRAINER = types.SimpleNamespace(config=RunConfig(), task=Classification())


def test_every_epoch_is_recorded_under_its_number(stand, tmp_path):
    wandb = stand()
    callback = WeightsAndBiases(tmp_path / "run", "eca")
    callback.start(TRAINER)
    callback.epoch_end(TRAINER, {"epoch": 3, "val_accuracy": 0.5})
    callback.stop(TRAINER)
    assert wandb.options["project"] == "eca"
    assert wandb.options["name"] == "run"
    assert wandb.options["dir"] == str(tmp_path / "run")
    assert wandb.options["config"] == RunConfig().to_dict()
    assert wandb.done == [("val_accuracy", "max"), ({"epoch": 3, "val_accuracy": 0.5}, 3), 0]


def test_a_run_goes_on_under_its_id(stand, tmp_path):
    ids = []
    for folder in ("run", "run", "other"):
        wandb = stand()
        WeightsAndBiases(tmp_path / folder, "eca").start(TRAINER)
        assert wandb.options["resume"] == "allow"
        ids.append(wandb.options["id"])
    assert ids[0] == ids[1] != ids[2]


def test_an_error_is_told(stand, tmp_path):
    wandb = stand()
    callback = WeightsAndBiases(tmp_path, "eca")
    callback.start(TRAINER)
    with contextlib.suppress(KeyboardInterrupt):
        try:
            raise KeyboardInterrupt
        finally:
            callback.stop(TRAINER)
    assert wandb.done[-1] == 1


@pytest.mark.parametrize("mode", ["offline", "dryrun", "disabled"])
def test_what_stays_here_needs_no_login(stand, tmp_path, mode):
    wandb = stand(mode=mode, logged_in=False)
    WeightsAndBiases(tmp_path, "eca").start(TRAINER)
    assert wandb.options["resume"] is None


def test_a_missing_login_and_a_dead_line_are_one_line(stand, tmp_path):
    stand(logged_in=False)
    with pytest.raises(UserError, match="needs a login: call `wandb login`"):
        WeightsAndBiases(tmp_path, "eca")
    stand(reachable=False)
    callback = WeightsAndBiases(tmp_path, "eca")
    with pytest.raises(UserError, match="cannot be reached: no route; set WANDB_MODE=offline"):
        callback.start(TRAINER)
    callback.stop(TRAINER)


def test_a_missing_library_names_its_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match=r"gluon-attn\[track\]"):
        WeightsAndBiases(tmp_path, "eca")


def test_a_project_stands_for_the_flag():
    assert (TrainConfig(project="eca").wandb, TrainConfig(project="eca").project) == (True, "eca")
    assert TrainConfig(wandb=True).project == "gluon-attn"
    assert (TrainConfig().wandb, TrainConfig().project) == (False, None)


def test_events_are_on_the_disk_after_each_epoch(tmp_path):
    pytest.importorskip("tensorboardX")
    callback = TensorBoard(tmp_path / "events")
    callback.start(types.SimpleNamespace(epoch=3))
    callback.epoch_end(None, {"epoch": 3, "val_accuracy": 0.5, "val_loss": 1.25})
    version, session, *scalars = events(tmp_path / "events")
    assert (version.file_version, session.session_log.status, session.step) == ("brain.Event:2", 1, 3)
    values = [(event.step, event.summary.value[0].tag, event.summary.value[0].simple_value) for event in scalars]
    assert values == [(3, "epoch", 3), (3, "val_accuracy", 0.5), (3, "val_loss", 1.25)]
    callback.stop(None)


def events(folder):
    """The events in the one file of a folder: each is its length, 4 bytes, the event, 4 bytes."""
    from tensorboardX.proto.event_pb2 import Event

    (path,) = folder.iterdir()
    data = path.read_bytes()
    while data:
        end = 12 + struct.unpack_from("<Q", data)[0]
        yield Event.FromString(data[12:end])
        data = data[end + 4 :]
