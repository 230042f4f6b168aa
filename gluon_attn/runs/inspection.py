"""What an inspection of a network found, and what can be said from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mxnet as mx
import numpy as np

from ..analyze.gate_plots import Look
from ..analyze.gate_statistics import Sites, SiteStatistics
from ..config.card import Card
from ..data.base import Dataset
from ..deploy.predictor import graph_inputs
from ..nn.recording import Gate, recording
from ..utils.errors import UserError
from ..utils.progress import each

#: images per pass over a data set
_BATCH = 32
#: most classes in a picture
_DRAWN = 6
HEADER = ("stage", "gate", "gates", "mean", "std over images", "explained by the class")


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
        target: The network, as it was named.
        folder: Folder with the files.
        looks: Image file -> what the network makes of it.
        dataset: Name of the data set; None without one.
        images: Number of images of the data set.
        statistics: Of each gate over these images, in the order of a pass.
        class_names: Name of each class.
        gates: Number of gates of the network.
    """

    target: str
    folder: Path
    looks: Mapping[str, Look]
    dataset: str | None
    images: int
    statistics: Sequence[SiteStatistics]
    class_names: tuple[str, ...]
    gates: int

    @property
    def page(self) -> Path:
        """The HTML page with all pictures and tables."""
        return self.folder / "index.html"


def gate_statistics(
    net: mx.gluon.HybridBlock, card: Card, source: Dataset, count: int, sites: Sites
) -> tuple[list[SiteStatistics], int]:
    """Run a network over test images and take statistics of its gates.

    Args:
        net: The network.
        card: Its card.
        source: The data set.
        count: Most images, see `balanced`.
        sites: Names of the places in the network.

    Returns:
        (statistics of each gate in the order of a pass, number of images).

    Raises:
        UserError: No image can be read.
    """
    found: dict[tuple[str, int], SiteStatistics] = {}
    labels = np.empty(0, np.int32)

    def receive(gate: Gate) -> None:
        site = sites.of(gate)
        one = found.setdefault((site.path, site.number), SiteStatistics(site, gate.x.shape[2:]))
        one.add(gate.per_image(), labels)

    chosen, seen = balanced(source.val.labels, count), 0
    with recording(net, receive):
        starts = range(0, len(chosen), _BATCH)
        for first in each(starts, "statistics", len(starts), "batch"):
            pixels, labels, _ = source.val.take(chosen[first : first + _BATCH], None)
            if len(labels):
                net(network_inputs(card, pixels)).wait_to_read()
                seen += len(labels)
                if not found:  # a network without gates
                    break
    if not seen:
        raise UserError(f"no test image of {source.name} can be read")
    return list(found.values()), seen


def balanced(labels: np.ndarray, count: int) -> np.ndarray:
    """Indices of at most `count` images: the first of each class, then the second of each, and so on; sorted."""
    turn, seen = np.empty(len(labels), int), dict.fromkeys(np.unique(labels).tolist(), 0)
    for index, label in enumerate(labels.tolist()):
        turn[index] = seen[label]
        seen[label] += 1
    readable = np.flatnonzero(labels >= 0)
    return np.sort(readable[np.argsort(turn[readable], kind="stable")][:count])


def network_inputs(card: Card, pixels: np.ndarray) -> mx.nd.NDArray:
    """Images (N,H,W,3) uint8 as the input of a network, (N,3,H,W) normalized."""
    return mx.nd.array(graph_inputs(card, pixels))


def stage_rows(statistics: Sequence[SiteStatistics]) -> list[tuple]:
    """The statistics by stage, under `HEADER`: means over the gates of a stage."""
    return [
        (stage, kind, len(group), f"{np.mean([float(one.level.mean[0]) for one in group]):.3f}",
         f"{np.mean([float(one.level.std[0]) for one in group]):.4f}", percent(_share(group)))
        for (stage, kind), group in by_stage(statistics).items()
    ]  # fmt: skip


def conclusions(found: Inspection) -> list[str]:
    """What the numbers say, in sentences."""
    if not found.gates:
        return [f"{found.target} has no gates: no attention in it multiplies a feature map by factors of its own."]
    shares = {
        f"of the {kind} gates of {stage}": share
        for (stage, kind), group in by_stage(found.statistics).items()
        if (share := _share(group)) is not None
    }
    if not shares:
        unknown = "With these images it cannot be said whether the gates depend on the class."
        return [unknown] if found.statistics else []
    most, least = max(shares, key=lambda key: shares[key]), min(shares, key=lambda key: shares[key])
    text = f"The class explains {percent(shares[most])} of the variance between images {most}"
    return [f"{text}, the most, and {percent(shares[least])} {least}, the least." if most != least else f"{text}."]


def drawn_classes(statistics: Sequence[SiteStatistics]) -> list[int]:
    """The classes in pictures: all, or 6 that are spread over the list."""
    labels = sorted(statistics[0].level.counts)
    if len(labels) <= _DRAWN:
        return labels
    return [labels[int(place)] for place in np.linspace(0, len(labels) - 1, _DRAWN).round()]


def by_stage(statistics: Sequence[SiteStatistics]) -> dict[tuple[str, str], list[SiteStatistics]]:
    """(stage, kind) -> its gates."""
    found: dict[tuple[str, str], list[SiteStatistics]] = {}
    for one in statistics:
        found.setdefault((one.site.stage, one.site.kind), []).append(one)
    return found


def percent(share: float | None) -> str:
    """A share as text; "" for None."""
    return "" if share is None else f"{share:.0%}"


def _share(group: Sequence[SiteStatistics]) -> float | None:
    shares = [share for share in (one.whole.class_share() for one in group) if share is not None]
    return float(np.mean(shares)) if shares else None
