"""Run folders as `placed` leaves them, shared by the tests of `runs.placement`."""

import json

from gluon_attn.config.train import RunConfig
from gluon_attn.engine.backend import Backend
from gluon_attn.runs.options import Options
from gluon_attn.runs.placement import placed
from gluon_attn.runs.train import describing
from gluon_attn.utils.log import get_logger


def options(**train):
    """The `Options` of a training with these options of group train."""
    return Options(RunConfig, given={"train": train})


def begun(kind=RunConfig, **given):
    """The folder of a run that has begun, as it was when a process was killed before the first checkpoint."""
    with placed(Options(kind, given=given), Backend()) as place, describing(place, Backend()):
        get_logger().warning("begun")
    return place.folder


def finished(*args, epochs=1, **given):
    """The folder of a run that finished some epochs."""
    folder = begun(*args, **given)
    folder.metrics_file.write_text("".join(json.dumps({"epoch": epoch}) + "\n" for epoch in range(epochs)))
    return folder
