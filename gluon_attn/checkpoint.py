"""Checkpoints: weights, optimizer state and the state of the run in one folder, without pickle.

`FOLDER/epoch-0007/` holds net.params, optimizer.params, what else the run keeps, and meta.json; the last has the
SHA-256 of the others and of itself, so that a damaged checkpoint is noticed. It appears under its name only when it is
whole.
"""

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mxnet as mx
from mxnet.gluon import Block

from .nn.params import load_params, read_tensors, save_params, write_tensors
from .utils.errors import UserError
from .utils.files import atomic_path, ensure_dir, epochs, read_hashed, sealed, sha256, write_json
from .utils.log import get_logger

FORMAT = 1
_FILES = ("net.params", "optimizer.params")

#: numbers that some MXNet optimizers keep outside their state arrays (nadam; lars)
_OPTIMIZER_NUMBERS = ("m_schedule", "last_lr", "cur_lr")


class CheckpointStore:
    """The checkpoints of one run: saves them, keeps the newest ones, finds the newest whole one.

    Args:
        folder: the folder that holds them; made by the first `save`.
        keep: number of checkpoints that are kept, at least 1 (default 2).
    """

    def __init__(self, folder: Path | str, keep: int = 2) -> None:
        self.folder = Path(folder)
        self.keep = keep

    def save(
        self,
        net: Block,
        trainer: mx.gluon.Trainer,
        meta: Mapping[str, Any],
        files: Mapping[str, Mapping[str, mx.nd.NDArray]] | None = None,
    ) -> Path:
        """Write a checkpoint, whole or not at all, and delete those older than the newest `keep`.

        Args:
            net: the network, whose weights are saved.
            trainer: the Gluon trainer of its parameters, whose optimizer state is saved.
            meta: further entries of meta.json, JSON data; "epoch" is the number of finished epochs.
            files: file name -> {name: array} of what else to save (default: nothing).

        Returns:
            The folder of the checkpoint.
        """
        ensure_dir(self.folder)
        target = self.folder / f"epoch-{meta['epoch']:04d}"
        with atomic_path(target) as staged:
            staged.mkdir()
            save_params(net, staged / "net.params")
            arrays, numbers = optimizer_state(net, trainer)
            write_tensors(staged / "optimizer.params", arrays)
            for name, extra in (files or {}).items():
                write_tensors(staged / name, extra)
            hashes = {name: sha256(staged / name) for name in (*_FILES, *(files or {}))}
            write_json(
                staged / "meta.json",
                sealed({"format": FORMAT, "sha256": hashes, "optimizer": numbers, **meta}),
            )
        for old in self.list()[: -self.keep]:
            shutil.rmtree(old, ignore_errors=True)
        return target

    def list(self) -> "list[Path]":
        """Folders of checkpoints, oldest first."""
        return epochs(self.folder)

    def newest(self) -> tuple[Path, dict[str, Any]] | None:
        """(folder, meta) of the newest whole checkpoint, None if there are none.

        Damaged ones are skipped with a warning.

        Raises:
            UserError: there are checkpoints, and none is whole.
        """
        for folder in reversed(self.list()):
            try:
                return folder, read_meta(folder)
            except UserError as error:
                if folder == self.list()[0]:
                    raise UserError(f"{error}, and no other is whole: remove {self.folder} to start anew") from None
                get_logger().warning("%s; the checkpoint before it is used", error)
        return None


def read_meta(folder: Path) -> dict[str, Any]:
    """Read meta.json of a checkpoint, and check its files.

    Args:
        folder: the folder of the checkpoint.

    Returns:
        The content of meta.json.

    Raises:
        UserError: a file is missing or damaged, or the checkpoint has another format.
    """
    meta = read_hashed(folder / "meta.json", _FILES)
    if meta is None:
        raise UserError(f"checkpoint {folder} is damaged")
    if meta.get("format") != FORMAT:
        raise UserError(f"checkpoint {folder} has format {meta.get('format')}; this release reads {FORMAT}")
    number = folder.name.rpartition("-")[2]
    if not isinstance(meta.get("optimizer"), dict) or (number.isdigit() and meta.get("epoch") != int(number)):
        raise UserError(f"checkpoint {folder} is damaged: its meta.json is not that of this checkpoint")
    return meta


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[None]:
    """A context for taking a checkpoint's entries and tensors: what does not fit is a `UserError` that names it."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, mx.MXNetError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:100]
        raise UserError(
            f"checkpoint {folder} is damaged ({reason}): remove that folder to resume from the one before"
        ) from error


def restore(folder: Path, meta: Mapping[str, Any], net: Block, trainer: mx.gluon.Trainer) -> None:
    """Load the weights and the optimizer state of a checkpoint into a network and its trainer.

    Args:
        folder: the folder of the checkpoint.
        meta: its meta.json, from `read_meta`.
        net: the network, initialized.
        trainer: the Gluon trainer of its parameters.

    Raises:
        UserError: the weights are of another network.
    """
    load_params(net, folder / "net.params")
    set_optimizer_state(net, trainer, read_tensors(folder / "optimizer.params"), meta["optimizer"])


def optimizer_state(net: Block, trainer: mx.gluon.Trainer) -> tuple[dict[str, mx.nd.NDArray], dict[str, Any]]:
    """The optimizer state of a Gluon trainer that updates in this process.

    Args:
        net: the network, which names the parameters.
        trainer: its trainer.

    Returns:
        {"parameter:position": array}, the position as `flatten` gives it, and the update counts and other numbers of
        the optimizer, JSON data.
    """
    names = _names(net, trainer)
    updater, optimizer = trainer._updaters[0], trainer._optimizer
    arrays = {"": mx.nd.zeros(1)}  # MXNet cannot save an empty mapping
    for index, state in updater.states.items():
        for position, array in flatten(state):
            arrays[f"{names[index]}:{position}"] = array
    counts = {names[index]: count for index, count in optimizer._index_update_count.items()}
    numbers = {key: getattr(optimizer, key) for key in _OPTIMIZER_NUMBERS if hasattr(optimizer, key)}
    return arrays, {"num_update": optimizer.num_update, "counts": counts, "numbers": numbers}


def set_optimizer_state(
    net: Block, trainer: mx.gluon.Trainer, arrays: Mapping[str, mx.nd.NDArray], numbers: Mapping[str, Any]
) -> None:
    """The inverse of `optimizer_state`, on every device of the trainer.

    Args:
        net: as of `optimizer_state`.
        trainer: as of `optimizer_state`; it is changed.
        arrays: the first result of `optimizer_state`.
        numbers: the second result of `optimizer_state`.
    """
    names = _names(net, trainer)
    optimizer = trainer._optimizer
    for device, updater in enumerate(trainer._updaters):
        for index, name in names.items():
            if name not in numbers["counts"]:
                continue
            weight = trainer._params[index].list_data()[device]
            state = optimizer.create_state_multi_precision(index, weight)
            for position, array in flatten(state):
                array[:] = arrays[f"{name}:{position}"].as_in_context(array.context)
            updater.states[index], updater.states_synced[index] = state, True
    optimizer.num_update = numbers["num_update"]
    counts = {index: numbers["counts"][name] for index, name in names.items() if name in numbers["counts"]}
    for context in trainer._contexts:
        optimizer._all_index_update_counts[context.device_id] = dict(counts)
    optimizer._set_current_context(trainer._contexts[0].device_id)
    for key, value in numbers["numbers"].items():
        setattr(optimizer, key, value)


def _names(net: Block, trainer: mx.gluon.Trainer) -> dict[int, str]:
    """Index in the trainer -> structural name; a shared parameter has its first one."""
    by_id: dict[int, str] = {}
    for name, param in net._collect_params_with_prefix().items():
        by_id.setdefault(id(param), name)
    return {i: by_id[id(param)] for i, param in enumerate(trainer._params)}


def flatten(state: Any, position: str = "0") -> Iterator[tuple[str, mx.nd.NDArray]]:
    """The arrays of an optimizer state, which MXNet nests in tuples.

    Args:
        state: an array, None, or a tuple or list of states.
        position: the position of `state` itself (default "0").

    Yields:
        (position, array) of each array; the position is the indices on the way to it, such as "0.1".
    """
    if state is None:
        return
    if isinstance(state, (tuple, list)):
        for i, part in enumerate(state):
            yield from flatten(part, f"{position}.{i}")
    else:
        yield position, state
