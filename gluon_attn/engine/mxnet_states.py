"""Optimizer states as MXNet's own `Trainer.save_states` writes them: a pickle, opened only for who trusts it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import mxnet as mx

from ..checkpoint import flatten, set_optimizer_state
from ..utils.errors import UserError

if TYPE_CHECKING:
    from .trainer import Trainer


def load_states(trainer: "Trainer", path: Path | str, order: Sequence[str]) -> None:
    """Put the states of a file into a trainer's optimizer, which keeps its own options and schedule.

    The file is unpickled, which runs any code it holds.

    Args:
        trainer: of a network of the same kind.
        path: the file.
        order: structural names of the parameters in the order of the trainer that wrote the file.

    Raises:
        UserError: the file cannot be read, or is of another network or optimizer.
    """
    found = _read(path)
    params = trainer.net._collect_params_with_prefix()
    arrays: dict[str, mx.nd.NDArray] = {}
    counts: dict[str, int] = {}
    optimizer = trainer.gluon_trainer._optimizer
    for index, state in found.states.items():
        if not isinstance(index, int) or index >= len(order):
            raise UserError(f"{path} is of another network: it has a state for parameter {index}")
        name = order[index]
        wanted = dict(flatten(optimizer.create_state_multi_precision(index, params[name].data())))
        given = dict(flatten(state))
        if {place: a.shape for place, a in given.items()} != {place: a.shape for place, a in wanted.items()}:
            raise UserError(f"{path} is of another network or optimizer: the state of {name} does not fit")
        arrays |= {f"{name}:{place}": array for place, array in given.items()}
        counts[name] = _count(found, index, optimizer.num_update)
    numbers = {"num_update": optimizer.num_update, "counts": counts, "numbers": {}}
    set_optimizer_state(trainer.net, trainer.gluon_trainer, arrays, numbers)


def _read(path):
    """The updater of MXNet's that holds the states."""
    if not Path(path).is_file():
        raise UserError(f"file {path} does not exist")
    updater = mx.optimizer.get_updater(mx.optimizer.create("sgd"))
    try:
        updater.set_states(Path(path).read_bytes())
    except Exception as error:  # whatever the code in it raises
        raise UserError(f"{path} cannot be read as optimizer states of MXNet: {error}") from None
    if not isinstance(updater.states, dict) or not updater.states:
        raise UserError(f"{path} holds no optimizer states of MXNet")
    return updater


def _count(found, index, otherwise):
    """How often the parameter had been updated."""
    return getattr(found.optimizer, "_index_update_count", {}).get(index, otherwise)
