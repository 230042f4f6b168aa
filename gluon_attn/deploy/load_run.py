"""The network of a run folder."""

from pathlib import Path

import mxnet as mx

from ..config.card import Card
from ..config.run_kind import check_kind
from ..models.factory import ONLY_IN_TRAINING, get_model
from ..nn.params import load_params
from ..registry import UnknownName
from ..utils.errors import UserError, engine_reason
from . import onnx, openvino, symbol
from .symbol import read_card

CARD, WEIGHTS = "card.json", "best.params"


def load_run(folder: Path | str, input_size: int | None = None) -> tuple[mx.gluon.HybridBlock, Card]:
    """Load the network of a run folder.

    Args:
        folder: The run folder.
        input_size: Height and width of the images, if they are to be other than those it was trained on.

    Returns:
        (network with the run's best weights, hybridized, on the CPU; its `Card`).

    Raises:
        UserError: The folder is no run, has no finished epoch or does not fit together, or the network takes no images
            of this size.
    """
    folder, card = Path(folder), load_card(folder)
    if not (folder / WEIGHTS).is_file():
        raise UserError(f"{folder} has no {WEIGHTS}: the run has not finished an epoch")
    if input_size in (None, card.input_shape[1]):
        return card_network(card, folder / WEIGHTS, f"card {folder / CARD}"), card
    sized = {**card.options, "input_size": input_size}
    card = card.replace(input_shape=(3, input_size, input_size), options=sized)
    try:
        net = card_network(card, folder / WEIGHTS, f"card {folder / CARD}")
        net(mx.nd.zeros((1, *card.input_shape))).wait_to_read()
    except (UserError, mx.MXNetError, ValueError, AssertionError) as error:
        raise UserError(
            f"the network of {folder} takes no {input_size}x{input_size} images ({engine_reason(error)}): leave option "
            "input_size out"
        ) from None
    return net, card


def load_card(folder: Path | str) -> Card:
    """The `Card` of a run folder; `UserError` if `folder` has none."""
    path = Path(folder, CARD)
    if not path.is_file():
        check_kind(folder, "train", "ean-supernet")
        files = sorted(
            file for end in (symbol.ENDING, onnx.ENDING, openvino.ENDING) for file in Path(folder).glob(f"*{end}")
        )
        advice = f"; name the file in it, such as {files[0]}" if files else ""
        raise UserError(f"{folder} is not a run folder: it has no {CARD}{advice}")
    return read_card(path)


def refuse_detector(card: Card, name: str) -> None:
    """`UserError` if a card is a detector's: what asks for a class of an image has no use for one."""
    if card.detection is not None:
        raise UserError(f"{name} holds a detector; this takes a classifier")


def card_network(card: Card, weights: Path | str, name: str) -> mx.gluon.HybridBlock:
    """The network of a `Card`, hybridized.

    Args:
        card: The card.
        weights: Parameter file of the network.
        name: What error messages call the card.

    Raises:
        UserError: The card or the file is damaged, or they do not belong together.
    """
    options = {key: value for key, value in card.options.items() if key not in ONLY_IN_TRAINING}
    try:
        net = get_model(card.model, card.classes, plan=card.plan, **options)
    except UnknownName as error:
        raise UserError(
            f"{name}: unknown {error.kind} {error.name!r}; if a plugin has it, name that with option plugin"
        ) from None
    except UserError as error:
        raise UserError(f"{name}: {error}") from None
    load_params(net, weights)
    net.hybridize(static_alloc=True)
    return net
