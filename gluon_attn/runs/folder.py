"""The folder of a run: found or made, and what stands in it before training starts."""

import contextlib
import re
from pathlib import Path

from ..config.files import read_yaml, write_yaml
from ..config.train import RunConfig
from ..utils import log
from ..utils.errors import UserError
from ..utils.files import clear_leftovers, ensure_dir, write_json
from ..runs.options import resolve

#: options that may change when a run goes on; all others decide what the run is
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


def run_name(config):
    """The name that a run gets by itself, such as digits-cifar_resnet20_v1-se."""
    return "-".join(re.sub(r"[^\w.]+", "_", part) for part in config.name_parts if part)


def new_folder(config):
    """Where a new run goes; `UserError` when the one asked for already holds a run."""
    if config.train.run_dir:
        folder = Path(config.train.run_dir)
        if (folder / "config.yaml").exists():
            raise UserError(
                f"{folder} already holds a run: add --resume auto to go on with it, or choose another --run-dir"
            )
        return folder
    return unused(Path("runs") / run_name(config))


def unused(folder):
    """`folder`, or where it exists the first of FOLDER-2, FOLDER-3 ... that does not."""
    number, free = 1, folder
    while free.exists():
        number += 1
        free = folder.with_name(f"{folder.name}-{number}")
    return free


def find_run(config):
    """The folder to resume: the one asked for, else the newest in runs/ that was made with the same options."""
    if config.train.run_dir:
        folder = Path(config.train.run_dir)
        return folder if (folder / "config.yaml").is_file() else None
    name = run_name(config)
    same_name = [path for path in Path("runs").glob(f"{name}*") if (path / "config.yaml").is_file()]
    for folder in sorted(same_name, key=lambda path: (path / "config.yaml").stat().st_mtime, reverse=True):
        if not changed_options(read_config(folder, type(config)), config):
            return folder
    return None


def read_config(folder, kind=RunConfig):
    """The config of a run folder, of the class `kind`."""
    return kind.from_dict(read_yaml(Path(folder) / "config.yaml"))


def changed_options(old, new):
    """Names of options that differ and may not when a run goes on."""
    before, after = old.to_dict(), new.to_dict()
    return [
        f"{group}.{key}"
        for group, values in before.items()
        for key in values
        if key not in _FREE.get(group, ()) and values[key] != after[group][key]
    ]


def place(kind, given, recipe, defaults):
    """(config, run folder, whether it goes on): on resuming, the run's own options stand unless given anew.

    kind: the class of the config; given, recipe, defaults: plain data by option group, earlier ones winning.
    """
    config = resolve(kind, defaults, recipe, given)
    if config.train.resume is None:
        return config, new_folder(config), False
    if config.train.resume != "auto":
        raise UserError(f"--resume takes auto, got {config.train.resume!r}; --run-dir names the run's folder")
    folder = find_run(config)
    if folder is None:
        log.get_logger().info("no run to go on with: starting anew")
        return config, new_folder(config), False
    stored = read_config(folder, kind)
    config = resolve(kind, stored.to_dict(), recipe, given)
    changed = changed_options(stored, config)
    if changed:
        raise UserError(f"{folder} was made with other options ({', '.join(changed)}): start a new run for these")
    return config, folder, True


@contextlib.contextmanager
def written(folder, config, card=None, resumed=False):
    """The run folder describes the run by config.yaml and card.json; inside this context its log is kept."""
    if resumed:
        clear_leftovers(folder)
    describe(ensure_dir(folder), config, card)
    files = [folder / "log.txt", *filter(None, [config.train.logging_file])]
    with contextlib.ExitStack() as stack:
        for path in files:
            stack.callback(log.close, log.to_file(path))
        yield


def describe(folder, config, card=None):
    """Write config.yaml and, where there is a `Card`, card.json."""
    write_yaml(folder / "config.yaml", config)
    if card is not None:
        write_json(folder / "card.json", card.to_dict())
