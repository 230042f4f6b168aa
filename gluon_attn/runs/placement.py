"""Which folder a run goes into: a new one, taken by an exclusive act, or that of the run to resume."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.backend import Backend
from ..utils import log
from ..utils.errors import UserError
from ..utils.files import ensure_dir, epochs
from .folder import RunFolder
from .options import Options

RUNS = Path("runs")
#: options that may change when a run is resumed; all others decide what the run is
_FREE = {
    "data": {"num_workers", "data_dir", "rec_train", "rec_train_idx", "rec_val", "rec_val_idx", "max_bad_images"},
    "model": {"pretrained"},
    "optim": {"num_groups"},
    "search": {
        "stop_skips", "stop_stable", "skip_limit", "draw_every", "seeds", "pick_by", "retrain_epochs", "dry_run",
        "note",
    },
    "train": {
        "num_epochs", "patience", "mode", "gpus", "num_gpus", "run_dir", "resume", "keep_checkpoints", "save_period",
        "save_dir", "save_plot_dir", "summary", "log_interval", "tensorboard", "logging_file",
        "wandb", "project", "resume_states", "trust",
    },
    "ean": {"steps"},
    "score": {"supernet", "baselines"},
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where a run goes: its config, its folder, and whether it resumes the run that is there."""

    config: Any
    folder: RunFolder
    resumed: bool


def run_name(config: Any) -> str:
    """The name that a run gets by itself, such as digits-cifar_resnet20_v1-se."""
    return "-".join(re.sub(r"[^\w.]+", "_", part) for part in config.name_parts if part)


def unused(folder: Path) -> Path:
    """`folder`, or the first of FOLDER-2, FOLDER-3 ... that does not exist."""
    return next(path for path in _numbered(folder) if not path.exists())


def take_unused(folder: Path) -> Path:
    """Make the folder that `unused(folder)` names; concurrent processes get different ones."""
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
    unless they are given anew.

    Args:
        options: of the run.
        backend: the processes of the run; process 0 takes the folder for all.

    Raises:
        UserError: the folder already holds a run, is in use, or the run in it was made with other options.
    """
    place = _place(options)
    folder, config = place.folder, place.config
    first = RUNS / run_name(config)
    named = place.resumed or config.train.run_dir
    with contextlib.ExitStack() as stack:
        if not named:  # process 0 may get another number than the first free one: tell the others
            if not backend.rank:
                stack.callback(_remove_if_empty, RUNS)
            number = 0 if backend.rank else _number(take_unused(first), first)
            folder = RunFolder(_with_number(first, int(backend.allreduce_sum([number])[0])))
        if not backend.rank:
            stack.enter_context(folder.locked(created=not named))
        yield Place(config, folder, place.resumed)


def _remove_if_empty(folder):
    with contextlib.suppress(OSError):
        folder.rmdir()


def _place(options):
    """The `Place` that the options mean; nothing is written."""
    config = options.config()
    if config.train.resume is None:
        return Place(config, _new(config), False)
    if config.train.resume != "auto":
        raise UserError(f"option resume takes auto, got {config.train.resume!r}; option run_dir names the run's folder")
    folder = find_run(config)
    if folder is None:
        log.get_logger().info("no run to resume: starting a new one")
        return Place(config, _new(config), False)
    stored = folder.read_config(options.kind)
    config = Options(options.kind, stored.to_dict(), options.recipe, options.given).config()
    changed = changed_options(stored, config)
    if changed:
        raise UserError(f"{folder} was made with other options ({', '.join(changed)}): start a new run for these")
    return Place(config, folder, True)


def _new(config):
    if not config.train.run_dir:
        return RunFolder(unused(RUNS / run_name(config)))
    folder = RunFolder(config.train.run_dir)
    _check_options(folder)
    if folder.holds_run:
        raise UserError(
            f"{folder} already holds a run: give option resume auto to resume it, or another option run_dir"
        )
    return folder


def _check_options(folder):
    """Raise a `UserError` if the options of a run are lost, whose checkpoints a new one would replace."""
    if not folder.holds_run and epochs(folder.checkpoints):
        raise UserError(f"{folder} has checkpoints and no {folder.config_file.name}: choose another option run_dir")


def _number(path, first):
    return 1 if path == first else int(path.name.removeprefix(f"{first.name}-"))


def _with_number(first, number):
    return first if number == 1 else first.with_name(f"{first.name}-{number}")


def find_run(config: Any) -> RunFolder | None:
    """The run to resume, or None.

    Args:
        config: the options; where they have no run_dir, the newest run in runs/ with the same options is taken.

    Raises:
        UserError: the folder has checkpoints, and its options are missing.
    """
    if config.train.run_dir:
        folder = RunFolder(config.train.run_dir)
        _check_options(folder)
        return folder if folder.holds_run else None
    found = [folder for folder in map(RunFolder, RUNS.glob(f"{run_name(config)}*")) if folder.holds_run]
    for folder in sorted(found, key=lambda folder: folder.config_file.stat().st_mtime, reverse=True):
        if not changed_options(folder.read_config(type(config)), config):
            return folder
    return None


def changed_options(old: Any, new: Any) -> list[str]:
    """Names of options that differ between two configs, except those that may change when a run is resumed."""
    before, after = old.to_dict(), new.to_dict()
    return [
        f"{group}.{key}"
        for group, values in before.items()
        for key in values
        if key not in _FREE.get(group, ()) and values[key] != after[group][key]
    ]
