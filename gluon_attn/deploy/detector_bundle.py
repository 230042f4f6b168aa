"""The deploy bundle of a detector: its graphs, card.json, and a program that needs no more than an engine and NumPy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..config.card import Card
from ..models.detection import Detector, Graphs
from ..models.detection.detector import BOX_WEIGHTS, PROPOSAL_WEIGHTS
from ..utils.errors import UserError
from ..utils.files import read_json
from . import detector_program
from .bundle import write_bundle
from .detector_graphs import open_parts
from .load_run import CARD
from .predictor import check_bundle
from .symbol import card_of
from .targets import ExportTarget

#: what of card.json is not the network's card
_OWN = ("format", "precision", "graphs", "check", "versions", "sha256")


def exported_card(net: Detector, card: Card) -> Card:
    """The card with all that the steps between the graphs need: anchors, box weights, the scale of levels."""
    weights = {"proposal_weights": list(PROPOSAL_WEIGHTS), "box_weights": list(BOX_WEIGHTS)}
    return card.replace(detection={**(card.detection or {}), **net.geometry.to_dict(), **weights})


def is_bundle(folder: Path | str) -> bool:
    """Whether a folder is a detector's deploy bundle."""
    path = Path(folder, CARD)
    try:
        described = read_json(path) if path.is_file() else None
    except UserError:
        return False
    return isinstance(described, dict) and isinstance(described.get("graphs"), dict)


def open_bundle(folder: Path | str) -> tuple[Graphs, Card, dict[str, Any]]:
    """Open a detector's deploy bundle.

    Args:
        folder: The bundle.

    Returns:
        (its graphs, `Card`, what of card.json is not the network's card).

    Raises:
        UserError: A file is missing, damaged or another than was exported.
    """
    folder = Path(folder)
    check_bundle(folder)
    described = read_json(folder / CARD)
    own = {key: described.pop(key, None) for key in _OWN}
    card = card_of(described, folder / CARD)
    if card.detection is None:
        raise UserError(f"{folder} holds no exported detector")
    return open_parts(folder, card, own["graphs"], str(own["format"])), card, own


def complete_detector(
    target: ExportTarget, folder: Path, card: Card, graphs: Mapping[str, Any], check: dict[str, Any]
) -> dict[str, Any]:
    """Write card.json and example.py beside the graphs of a detector.

    Args:
        target: What was written.
        folder: Of the bundle.
        card: `exported_card` of the detector.
        graphs: What `write_parts` returned.
        check: How they compare with the network.

    Returns:
        What card.json holds.
    """
    program = Path(detector_program.__file__).read_text(encoding="utf-8")
    return write_bundle(target, folder, card, {"graphs": dict(graphs)}, check, program)
