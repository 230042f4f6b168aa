"""Callbacks that log the numbers of a run to TensorBoard and Weights & Biases."""

import contextlib
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..utils.errors import UserError, WriteError
from ..utils.files import ensure_dir, write_text
from ..utils.optional import require
from .callbacks import Callback
from .task import TrainingLoop

#: modes of W&B in which nothing is sent
_OFFLINE = ("offline", "dryrun", "disabled")


#: pictures of an epoch by name, (H,W,3) uint8
Pictures = Callable[[TrainingLoop, dict], Mapping[str, np.ndarray]]


def numbers(record: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a record, those of mappings as "key/name", without None, such as the AP of an absent class."""
    found: dict[str, Any] = {}
    for key, value in record.items():
        parts = {f"{key}/{name}": part for name, part in value.items()} if isinstance(value, dict) else {key: value}
        found |= {name: part for name, part in parts.items() if part is not None}
    return found


class TensorBoard(Callback):
    """Every number of each epoch's record, as TensorBoard events in `folder`.

    They are on the disk before the epoch's checkpoint is. (A SummaryWriter writes them from a thread; where the disk is
    full that thread dies, and the training waits for it without end.)
    """

    def __init__(self, folder: Path):
        require("tensorboardX")
        self._folder = folder
        self._writer: Any = None  # made at the start: the first epoch to log is known then

    def start(self, trainer: TrainingLoop) -> None:
        """Open the event file. Events of epochs that a resumed run repeats are dropped."""
        from tensorboardX.proto.event_pb2 import SessionLog
        from tensorboardX.record_writer import RecordWriter

        name = f"events.out.tfevents.{time.time():.0f}.{socket.gethostname()}"
        with self._complaints():
            self._writer = RecordWriter(str(ensure_dir(self._folder) / name))
        version = {"file_version": "brain.Event:2"}
        session = {"session_log": SessionLog(status=SessionLog.START)}
        self._write(trainer.epoch, version, session)

    def epoch_end(self, trainer: TrainingLoop, record: dict) -> None:
        """Log the numbers of the epoch."""
        from tensorboardX.summary import scalar

        self._write(record["epoch"], *({"summary": scalar(key, value)} for key, value in numbers(record).items()))

    def stop(self, trainer: TrainingLoop) -> None:
        """Close the event file."""
        if self._writer is not None:
            with contextlib.suppress(OSError):  # the error of a full disk has been reported
                self._writer.close()

    def _write(self, step: int, *events: dict[str, Any]) -> None:
        from tensorboardX.proto.event_pb2 import Event

        with self._complaints():
            for event in events:
                self._writer.write(Event(wall_time=time.time(), step=step, **event).SerializeToString())
            self._writer.flush()

    @contextlib.contextmanager
    def _complaints(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise WriteError(f"cannot write to {self._folder}: {error.strerror or error}") from error


class WeightsAndBiases(Callback):
    """Options and every epoch's record, for Weights & Biases.

    All is written below FOLDER/wandb and sent to the project, unless WANDB_MODE=offline. A resumed run keeps its id.

    Args:
        folder: the run folder, whose name is the run's.
        project: W&B's.
        pictures: of each epoch, from the trainer and the record of the epoch (default: none).

    Raises:
        UserError: there is no login; nothing is asked for.
    """

    def __init__(self, folder: Path, project: str, pictures: Pictures | None = None):
        self._wandb, self._offline = check_login()
        self._folder, self._project, self._pictures = Path(folder), project, pictures
        self._run: Any = None

    def start(self, trainer: TrainingLoop) -> None:
        """Start or resume the run there; `UserError` if the service cannot be reached."""
        try:
            self._run = self._wandb.init(
                project=self._project,
                name=self._folder.name,
                id=self._id(),
                resume=None if self._offline else "allow",
                dir=str(self._folder),
                config=trainer.config.to_dict(),
            )
        except self._wandb.errors.Error as error:
            raise UserError(f"W&B cannot be reached: {error}; set WANDB_MODE=offline to work without it") from None
        score = trainer.task.score
        self._run.define_metric(score.key, summary="max" if score.higher_is_better else "min")

    def epoch_end(self, trainer: TrainingLoop, record: dict) -> None:
        """Log the record of the epoch, and pictures."""
        pictures = self._pictures(trainer, record) if self._pictures else {}
        images = {name: self._wandb.Image(picture) for name, picture in pictures.items()}
        self._run.log({**numbers(record), **images}, step=record["epoch"])

    def stop(self, trainer: TrainingLoop) -> None:
        """End the run there, as failed if an error ended it here."""
        if self._run is not None:
            self._run.finish(exit_code=int(sys.exc_info()[0] is not None))

    def _id(self):
        path = self._folder / "wandb" / "id"
        if not path.is_file():
            write_text(path, secrets.token_hex(4))
        return path.read_text(encoding="utf-8").strip()


def check_login() -> tuple[Any, bool]:
    """The library of Weights & Biases, and whether it is to send nothing.

    Raises:
        UserError: it is missing, or there is no login; nothing is asked for.
    """
    wandb = require("wandb")
    offline = wandb.setup().settings.mode in _OFFLINE
    if not offline and not wandb.login(prompt=False, verify=False):
        raise UserError("option wandb needs a login: call `wandb login`, set WANDB_API_KEY, or set WANDB_MODE=offline")
    return wandb, offline
