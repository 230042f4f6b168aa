"""Checkpoints: weights, optimizer state and the state of the run in one folder, without pickle.

`FOLDER/epoch-0007/` holds net.params, optimizer.params, what else the run keeps, and meta.json; the last has the
SHA-256 of the others, so that a damaged checkpoint is noticed. It appears under its name only when it is whole.
"""

import shutil
from pathlib import Path

import mxnet as mx

from .nn.params import load_params, save_params
from .utils.errors import UserError
from .utils.files import atomic_path, ensure_dir, epochs, read_hashed, sha256, write_json
from .utils.log import get_logger

FORMAT = 1
_FILES = ("net.params", "optimizer.params")

#: numbers that some MXNet optimizers keep outside their state arrays (nadam; lars)
_OPTIMIZER_NUMBERS = ("m_schedule", "last_lr", "cur_lr")


class CheckpointStore:
    """The checkpoints of one run: saves them, keeps the newest `keep`, finds the newest whole one."""

    def __init__(self, folder, keep=2):
        self.folder = Path(folder)
        self.keep = keep

    def save(self, net, trainer, meta, files=None):
        """Write a checkpoint; returns its folder. `meta["epoch"]` counts finished epochs, the rest is the caller's.

        files: file name -> {name: NDArray}, what else is to be kept.
        """
        ensure_dir(self.folder)
        target = self.folder / f"epoch-{meta['epoch']:04d}"
        with atomic_path(target) as staged:
            staged.mkdir()
            save_params(net, staged / "net.params")
            arrays, numbers = optimizer_state(net, trainer)
            mx.nd.save(str(staged / "optimizer.params"), arrays)
            for name, extra in (files or {}).items():
                mx.nd.save(str(staged / name), extra)
            hashes = {name: sha256(staged / name) for name in (*_FILES, *(files or {}))}
            write_json(
                staged / "meta.json",
                {"format": FORMAT, "sha256": hashes, "optimizer": numbers, **meta},
            )
        for old in self.list()[: -self.keep]:
            shutil.rmtree(old, ignore_errors=True)
        return target

    def list(self):
        """Folders of checkpoints, oldest first."""
        return epochs(self.folder)

    def newest(self):
        """(folder, meta) of the newest whole checkpoint, or None; a damaged one is passed over with a warning."""
        for folder in reversed(self.list()):
            try:
                return folder, read_meta(folder)
            except UserError as error:
                get_logger().warning("%s; the checkpoint before it is used", error)
        return None


def read_meta(folder):
    """meta.json of a checkpoint whose files are whole; else a `UserError`."""
    meta = read_hashed(folder / "meta.json", _FILES)
    if meta is None:
        raise UserError(f"checkpoint {folder} is damaged")
    if meta["format"] != FORMAT:
        raise UserError(f"checkpoint {folder} has format {meta['format']}; this release reads {FORMAT}")
    return meta


def restore(folder, meta, net, trainer):
    """Put a checkpoint's weights and optimizer state into a network and its trainer."""
    load_params(net, folder / "net.params")
    set_optimizer_state(net, trainer, mx.nd.load(str(folder / "optimizer.params")), meta["optimizer"])


def optimizer_state(net, trainer):
    """(arrays by parameter name and place, plain numbers) of a Gluon trainer that updates in this process."""
    names = _names(net, trainer)
    updater, optimizer = trainer._updaters[0], trainer._optimizer
    arrays = {"": mx.nd.zeros(1)}  # MXNet cannot save an empty mapping
    for index, state in updater.states.items():
        for place, array in flatten(state):
            arrays[f"{names[index]}:{place}"] = array
    counts = {names[index]: count for index, count in optimizer._index_update_count.items()}
    numbers = {key: getattr(optimizer, key) for key in _OPTIMIZER_NUMBERS if hasattr(optimizer, key)}
    return arrays, {"num_update": optimizer.num_update, "counts": counts, "numbers": numbers}


def set_optimizer_state(net, trainer, arrays, numbers):
    """The inverse of `optimizer_state`, on every device of the trainer."""
    names = _names(net, trainer)
    optimizer = trainer._optimizer
    for device, updater in enumerate(trainer._updaters):
        for index, name in names.items():
            if name not in numbers["counts"]:
                continue
            weight = trainer._params[index].list_data()[device]
            state = optimizer.create_state_multi_precision(index, weight)
            for place, array in flatten(state):
                array[:] = arrays[f"{name}:{place}"].as_in_context(array.context)
            updater.states[index], updater.states_synced[index] = state, True
    optimizer.num_update = numbers["num_update"]
    counts = {index: numbers["counts"][name] for index, name in names.items() if name in numbers["counts"]}
    for context in trainer._contexts:
        optimizer._all_index_update_counts[context.device_id] = dict(counts)
    optimizer._set_current_context(trainer._contexts[0].device_id)
    for key, value in numbers["numbers"].items():
        setattr(optimizer, key, value)


def _names(net, trainer):
    """Index in the trainer -> structural name; a shared parameter goes by its first name."""
    by_id = {}
    for name, param in net._collect_params_with_prefix().items():
        by_id.setdefault(id(param), name)
    return {i: by_id[id(param)] for i, param in enumerate(trainer._params)}


def flatten(state, place="0"):
    """(place, array) of a nested optimizer state; None holds nothing."""
    if state is None:
        return
    if isinstance(state, (tuple, list)):
        for i, part in enumerate(state):
            yield from flatten(part, f"{place}.{i}")
    else:
        yield place, state
