"""Which folder a run goes into: a new one, taken by an exclusive act, or that of the run to resume."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..config.run_kind import TITLES, held_kind
from ..config.without_effect import without_effect
from ..engine.backend import Backend
from ..utils.errors import Interrupted, UserError
from ..utils.files import ensure_dir, epochs
from ..utils.paths import check_output_file, check_output_folder
from .earlier_runs import RUNS, changed_options, find_run, run_name, stretched
from .folder import RunFolder
from .named_checkpoint import AUTO, check_is_newest, resolved
from .options import Options


@dataclass(frozen=True)
class Place:
    """Where a run goes.

    Attributes:
        config: its options.
        path: its folder.
        resumed: whether it resumes the run that is there.
        restarted: whether it takes the place of a run there that ended without results.
        notes: lines for its log.
    """

    config: Any
    path: Path
    resumed: bool = False
    restarted: bool = False
    notes: tuple[str, ...] = ()

    @property
    def folder(self) -> RunFolder:
        """The folder and the files in it."""
        return RunFolder(self.path)


def take_unused(folder: Path) -> Path:
    """Make `folder`, or the first of FOLDER-2, FOLDER-3 ... that does not exist; concurrent processes get others."""
    if folder.name in ("", ".."):
        folder = folder.resolve()
    if not folder.name:
        raise UserError(f"{folder} has no name to number: choose another folder")
    ensure_dir(folder.parent)
    for path in _numbered(folder):
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            return path
    raise AssertionError("numbers never end")


def _numbered(folder):
    yield folder
    number = 2
    while True:
        yield folder.with_name(f"{folder.name}-{number}")
        number += 1


@contextlib.contextmanager
def placed(options: Options, backend: Backend) -> Iterator[Place]:
    """A context in which a run has its folder to itself, taken before data and network are made.

    A new run without option run_dir goes into runs/NAME, numbered. With option resume the run's own options stand
    unless they are given anew. A run in option run_dir that ended without results makes room.

    Args:
        options: of the run.
        backend: the processes of the run; process 0 takes the folder for all.

    Raises:
        UserError: the folder already holds a run, is in use, or the run in it was made with other options; or a file
            that the options name cannot be written.
        Interrupted: Ctrl-C.
    """
    place = _place(options)
    check_outputs(place.config, backend)
    named = place.resumed or bool(place.config.train.run_dir)
    with taken(place.path, named, backend) as path:
        if not named:
            place = Place(place.config, path, notes=place.notes)
        elif not (backend.rank or place.resumed) and _place(options) != place:
            raise UserError(f"{path} was in use by another run until now: choose another option run_dir")
        with resumable(path):
            yield replace(place, notes=(*place.notes, *without_effect(place.config, options.asked, backend.size)))


@contextlib.contextmanager
def resumable(folder: Path) -> Iterator[None]:
    """A context in which Ctrl-C raises an `Interrupted` about the run in `folder`, if it has begun."""
    try:
        yield
    except KeyboardInterrupt:
        if not folder.exists() or not any(not item.name.startswith(".") for item in folder.iterdir()):
            raise
        raise Interrupted(folder) from None


@contextlib.contextmanager
def taken(folder: Path, named: bool, backend: Backend) -> Iterator[Path]:
    """A context in which a folder belongs to this run alone.

    Args:
        folder: the folder.
        named: whether it must be this one; else the first unused of FOLDER, FOLDER-2 ... is made.
        backend: the processes of the run; process 0 takes the folder for all, the others learn which it is.

    Raises:
        UserError: another run is at work in it, or it cannot be written to.
    """
    with contextlib.ExitStack() as stack:
        if not named:
            if not backend.rank:
                stack.callback(RunFolder(folder.parent).remove_if_empty)
            number = 0 if backend.rank else _number(take_unused(folder), folder)
            folder = _with_number(folder, int(backend.allreduce_sum([number])[0]))
        if not backend.rank:
            stack.enter_context(RunFolder(folder).locked(created=not named))
        yield folder


def check_outputs(config: Any, backend: Backend) -> None:
    """Check, before any work, that what the options name can be written; `UserError` if not. Process 0 writes it."""
    if backend.rank:
        return
    check_output_file(config.train.logging_file, "option logging_file")
    for name in ("run_dir", "save_dir", "save_plot_dir"):
        check_output_folder(getattr(config.train, name), f"option {name}")


def _place(options):
    """The `Place` that the options mean; nothing is written."""
    config = options.config()
    if config.train.resume is None:
        return _new(config)
    options, number = resolved(options)
    config = options.config()
    folder = find_run(config)
    if folder is None:
        if config.train.resume != AUTO:
            raise UserError(f"option resume {config.train.resume}: there is no such run to resume")
        return _new(config, "no run to resume: starting a new one")
    stored = folder.read_config(options.kind)
    config = Options(options.kind, stored.to_dict(), options.recipe, options.given).config()
    changed = changed_options(stored, config)
    if number is not None:
        check_is_newest(folder, number)
    if not folder.has_results:
        other = f" with other options ({', '.join(changed)})" * bool(changed)
        note = f"the run in {folder} ended before its first checkpoint: starting it anew{other}"
        return Place(config, folder.path, not changed, bool(changed), (note,))
    if changed:
        raise UserError(f"{folder} was made with other options ({', '.join(changed)}): start a new run for these")
    longer = stretched(stored, config)
    return Place(config, folder.path, True, notes=(longer,) if longer else ())


def check_resume(config: Any) -> None:
    """Check that option resume is auto or not given, of a command that has several runs."""
    if config.train.resume not in (None, AUTO):
        raise UserError(f"option resume takes auto, got {config.train.resume!r}; option run_dir names the run's folder")


def _new(config, *notes):
    if not config.train.run_dir:
        return Place(config, RUNS / run_name(config), notes=notes)
    folder = RunFolder(config.train.run_dir)
    refuse_results(folder, config.kind)
    if not folder.holds_run:
        return Place(config, folder.path, notes=notes)
    note = f"the run in {folder} ended before its first checkpoint: this one takes its place and continues its log"
    return Place(config, folder.path, restarted=True, notes=(*notes, note))


def refuse_results(folder: RunFolder, kind: str | None = None) -> None:
    """Raise a `UserError` where a folder has results that a new run, of this kind if it is known, would write over."""
    if not folder.has_results:
        return
    if not folder.holds_run and epochs(folder.checkpoints):  # it cannot be resumed
        raise UserError(f"{folder} has checkpoints and no {folder.config_file.name}: choose another option run_dir")
    found = held_kind(folder.path)
    if kind and found not in (kind, None):
        raise UserError(f"{folder} holds {TITLES[found]}, not {TITLES[kind]}: choose another option run_dir")
    raise UserError(f"{folder} already holds a run: give option resume auto to resume it, or another option run_dir")


def _number(path, first):
    return 1 if path == first else int(path.name.removeprefix(f"{first.name}-"))


def _with_number(first, number):
    return first if number == 1 else first.with_name(f"{first.name}-{number}")
