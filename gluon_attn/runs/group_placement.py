"""The folder of several runs that one command makes, such as searches with several seeds."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..config.run_kind import TITLES, held_kind
from ..engine.backend import Backend
from ..utils import log
from ..utils.errors import UserError
from .earlier_runs import RUNS, changed_options, run_name
from .folder import RunFolder
from .options import Options
from .placement import check_outputs, check_resume, refuse_results, resumable, taken


@contextlib.contextmanager
def group_placed(
    config: Any, backend: Backend, parts: Mapping[str, Options | None], suffix: str = ""
) -> Iterator[RunFolder]:
    """A context in which a command has the folder of its runs to itself, taken before the first of them starts.

    A new one without option run_dir goes into runs/NAME and the suffix, numbered. With option resume the newest such
    folder that has a run with the same options is taken.

    Args:
        config: the options of the command.
        backend: the processes of the run; process 0 takes the folder for all.
        parts: name of each run's folder below -> its options, None where these follow from earlier runs.
        suffix: of the name.

    Raises:
        UserError: the folder holds results and is not to be resumed, is in use, or cannot be written to.
    """
    check_outputs(config, backend)
    check_resume(config)
    first = RUNS / f"{run_name(config)}{suffix}"
    path = Path(config.train.run_dir) if config.train.run_dir else None
    if path:
        _check(RunFolder(path), config, parts)
    elif config.train.resume:
        path = _newest(first, parts)
        if path is None:
            log.get_logger().warning("no run to resume: starting a new one")
    with taken(path or first, path is not None, backend) as folder:
        backend.barrier()  # all processes have looked before one writes
        with resumable(folder):
            yield RunFolder(folder)


def _check(folder: RunFolder, config: Any, parts: Mapping[str, Options | None]) -> None:
    found = held_kind(folder.path)
    if found and (config.train.resume or folder.has_results):
        raise UserError(f"{folder} holds {TITLES[found]}, not several runs: choose another option run_dir")
    if not config.train.resume:
        for one in (folder, *map(folder.below, parts)):
            refuse_results(one)


def _newest(first: Path, parts: Mapping[str, Options | None]) -> Path | None:
    """The newest folder of several runs that has one of `parts` with the same options."""
    found = [folder for folder in map(RunFolder, first.parent.glob(f"{first.name}*")) if _fits(folder, parts)]
    return max((folder.path for folder in found), key=lambda path: path.stat().st_mtime, default=None)


def _fits(folder: RunFolder, parts: Mapping[str, Options | None]) -> bool:
    for name, options in parts.items():
        run = folder.below(name)
        if options is None or held_kind(run.path) is None:
            continue
        with contextlib.suppress(UserError):  # damaged, of another version, or of another kind
            if not changed_options(run.read_config(options.kind), options.config()):
                return True
    return False
