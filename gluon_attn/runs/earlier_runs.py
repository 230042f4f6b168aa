"""The earlier run that a command resumes: which one it is, and what may differ from it."""

import re
from pathlib import Path
from typing import Any

from ..config.run_kind import check_kind, held_kind
from ..utils.errors import UserError
from .folder import RunFolder

RUNS = Path("runs")
#: options that may change when a run is resumed; all others decide what the run is
_FREE = {
    "data": {"num_workers", "data_dir", "rec_train", "rec_train_idx", "rec_val", "rec_val_idx", "max_bad_images"},
    "model": {"pretrained"},
    "detect": {"eval_every"},
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


def run_name(config: Any) -> str:
    """The name that a run gets by itself, such as digits-cifar_resnet20_v1-se."""
    return "-".join(re.sub(r"[^\w.]+", "_", part) for part in config.name_parts if part)


def find_run(config: Any) -> RunFolder | None:
    """The run to resume, or None.

    Args:
        config: the options; where they have no run_dir, the newest run in runs/ with the same options is taken, one
            with results before one without.

    Raises:
        UserError: option run_dir names a folder with another kind of run, or with several.
    """
    if config.train.run_dir:
        return _named(config)
    found = [folder for folder in map(RunFolder, RUNS.glob(f"{run_name(config)}*")) if _same(folder, config)]
    return max(found, key=lambda folder: (folder.has_results, folder.config_file.stat().st_mtime), default=None)


def _named(config):
    folder = RunFolder(config.train.run_dir)
    check_kind(folder.path, config.kind)
    if folder.holds_run:
        return folder
    if folder.parts:
        raise UserError(f"{folder} holds several runs ({', '.join(folder.parts)}): name one of them")
    return None


def _same(folder: RunFolder, config: Any) -> bool:
    """Whether a folder holds a run of the same kind with the same options."""
    if held_kind(folder.path) not in (config.kind, None) or not folder.holds_run:
        return False
    try:
        return not changed_options(folder.read_config(type(config)), config)
    except UserError:  # damaged, or of another version
        return False


def changed_options(old: Any, new: Any) -> list[str]:
    """Names of options that differ between two configs, except those that may change when a run is resumed."""
    before, after = old.to_dict(), new.to_dict()
    changed = [(group, key) for group, values in before.items() for key in values if values[key] != after[group][key]]
    random = after.get("search", {}).get("random_search")  # such a run is the trainings that retrain_epochs is for
    return [
        f"{group}.{key}"
        for group, key in changed
        if key not in _FREE.get(group, ()) or (random and key == "retrain_epochs")
    ]


def stretched(old: Any, new: Any) -> str | None:
    """What another number of epochs changes in a resumed run, as one line; None for nothing.

    Args:
        old: the config of the run so far.
        new: the config that it is resumed with.
    """
    before, after = old.train.num_epochs, new.train.num_epochs
    if before == after or not hasattr(new, "optim"):  # a search of connections has no schedule
        return None
    mode, data = new.optim.lr_mode, new.to_dict()["data"]
    follow = {
        f"the learning rate ({mode} schedule)": mode != "step",
        "the drop-path probability": bool(new.train.drop_path_prob),
        "the sizes of the images": bool(data.get("progressive_size")),
        "the final epochs without mixup and cutmix": data.get("mixup_off_epoch", 0) > 0
        and (data["mixup"] or data["cutmix"]),
    }
    what = [name for name, does in follow.items() if does]
    if new.to_dict().get("search", {}).get("random_search"):
        return None
    if not what:
        return f"num_epochs {before} -> {after}: the learning rate ({mode} schedule) stays as it was"
    return f"num_epochs {before} -> {after}: from here on {', '.join(what)} as in a run of {after} epochs"
