"""The network of a run folder."""

from pathlib import Path

from ..models.factory import get_model
from ..nn.params import load_params
from ..utils.errors import UserError
from .symbol import read_card

CARD, WEIGHTS = "card.json", "best.params"


def load_run(folder):
    """(network with the run's best weights, hybridized, on the CPU; its `Card`).

    A folder that is no run, has no finished epoch or does not fit together is a `UserError`.
    """
    folder, card = Path(folder), load_card(folder)
    if not (folder / WEIGHTS).is_file():
        raise UserError(f"{folder} has no {WEIGHTS}: the run has not finished an epoch")
    try:
        net = get_model(card.model, card.classes, plan=card.plan, **card.options)
    except UserError as error:
        raise UserError(f"card {folder / CARD}: {error}") from None
    load_params(net, folder / WEIGHTS)
    net.hybridize(static_alloc=True)
    return net, card


def load_card(folder):
    """The `Card` of a run folder; a folder that has none is a `UserError`."""
    path = Path(folder, CARD)
    if not path.is_file():
        raise UserError(f"{folder} is not a run folder: it has no {CARD}")
    return read_card(path)
