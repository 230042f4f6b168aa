"""Where the gates of a network are, and how they vary from image to image and from class to class."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import mxnet as mx
import numpy as np

from ..models.slots import Residual, Stage
from ..nn.recording import CHANNEL, SPATIAL, Gate


@dataclass(frozen=True)
class Site:
    """A place in a network where a gate is applied.

    Attributes:
        path: of the module, as in parameter names: "features.3.0.post".
        number: index of the gate among those of the path.
        kind: "channel", "spatial" or "element".
        stage: "stage 2"; in a network without such stages the size of the feature map: "16x16 maps".
        name: of the module in its stage: "block 1, post".
    """

    path: str
    number: int
    kind: str
    stage: str
    name: str

    @property
    def title(self) -> str:
        """Stage and name in one."""
        return f"{self.stage}, {self.name}"


class Sites:
    """Names the places of a network's gates.

    Args:
        net: the network.
    """

    def __init__(self, net: mx.gluon.Block) -> None:
        self._stages = _stages(net, ())

    def of(self, gate: Gate) -> Site:
        """The place of a gate."""
        stage, name = "x".join(map(str, gate.x.shape[2:])) + " maps", ".".join(gate.path) or "network"
        for number, (path, blocks) in enumerate(self._stages, 1):
            if gate.path[: len(path)] == path and len(self._stages) > 1:
                child, *rest = gate.path[len(path) :]
                block = f"block {blocks.index(child) + 1}" if child in blocks else "after the blocks"
                stage, name = f"stage {number}", ", ".join([block, ".".join(rest)] if rest else [block])
        if gate.number and gate.kind != SPATIAL:  # the spatial gate that follows one of channels is told by its kind
            name += f", gate {gate.number + 1}"
        return Site(".".join(gate.path), gate.number, gate.kind, stage, name)


class Moments:
    """Mean and variation of vectors that belong to classes, without keeping the vectors."""

    def __init__(self) -> None:
        self.count = 0
        self.counts: dict[int, int] = {}
        self._sums: dict[int, np.ndarray] = {}
        self._squares: dict[int, np.ndarray] = {}

    def add(self, vectors: np.ndarray, labels: np.ndarray) -> None:
        """Add vectors (N,D) with their classes (N,)."""
        for label in np.unique(labels):
            own, key = vectors[labels == label].astype(np.float64), int(label)
            self.count += len(own)
            self.counts[key] = self.counts.get(key, 0) + len(own)
            self._sums[key] = self._sums.get(key, 0) + own.sum(0)
            self._squares[key] = self._squares.get(key, 0) + (own**2).sum(0)

    @property
    def mean(self) -> np.ndarray:
        """Mean over all vectors, (D,)."""
        return sum(self._sums.values(), np.zeros(())) / self.count

    @property
    def std(self) -> np.ndarray:
        """Standard deviation over all vectors, (D,)."""
        squares = sum(self._squares.values(), np.zeros(())) / self.count
        return np.sqrt(np.maximum(squares - self.mean**2, 0))

    def of_class(self, label: int) -> tuple[np.ndarray, np.ndarray]:
        """(mean, standard deviation) over the vectors of a class, (D,) each."""
        mean = self._sums[label] / self.counts[label]
        return mean, np.sqrt(np.maximum(self._squares[label] / self.counts[label] - mean**2, 0))

    def class_share(self) -> float | None:
        """Share of the variance that the class explains, all entries together, from 0 to 1.

        Epsilon squared, the ratio of sums of squares after correction for the number of classes: 0 is expected where
        the classes do not matter. None for one class, for no more vectors than classes, and where nothing varies.
        """
        classes = len(self.counts)
        within = sum(float((self.of_class(label)[1] ** 2).sum()) * count for label, count in self.counts.items())
        total = float((self.std**2).sum()) * self.count
        if classes < 2 or self.count <= classes or total < 1e-12 * self.count * self.mean.size:
            return None
        return max(0.0, 1 - within / (self.count - classes) * (self.count - 1) / total)


@dataclass
class SiteStatistics:
    """Statistics of the gate at one site, over images.

    Attributes:
        site: where it is.
        level: of the mean over all factors of an image, D = 1.
        channels: of the factors of the channels, mean over the pixels; nothing for a spatial gate.
        pixels: of the map, mean over the channels, flattened; nothing for a channel gate.
        size: height and width of the map.
    """

    site: Site
    size: tuple[int, int]
    level: Moments = field(default_factory=Moments)
    channels: Moments = field(default_factory=Moments)
    pixels: Moments = field(default_factory=Moments)

    @property
    def whole(self) -> Moments:
        """The channels, or the pixels of a spatial gate."""
        return self.pixels if self.site.kind == SPATIAL else self.channels

    def add(self, values: np.ndarray, labels: np.ndarray) -> None:
        """Add `Gate.per_image` of a batch with its labels."""
        self.level.add(values.mean((1, 2, 3))[:, None], labels)
        if self.site.kind != SPATIAL:
            self.channels.add(values.mean((2, 3)), labels)
        if self.site.kind != CHANNEL:
            self.pixels.add(values.mean(1).reshape(len(values), -1), labels)

    def to_dict(self, class_names: Sequence[str], detailed: Collection[int]) -> dict[str, Any]:
        """Plain data: the site, mean and deviations, and the same per class.

        Args:
            class_names: name of each class.
            detailed: classes of which every factor is given, mean over their images.
        """
        whole = self.whole
        found = {key: getattr(self.site, key) for key in ("path", "number", "kind", "stage", "name")}
        found |= {"mean": float(self.level.mean[0]), "std_over_images": float(self.level.std[0])}
        found |= {"std_over_factors": float(whole.mean.std()), "class_share": whole.class_share()}
        classes = {}
        for label in sorted(whole.counts):
            mean, std = self.level.of_class(label)
            one = {"images": whole.counts[label], "mean": float(mean[0]), "std": float(std[0])}
            if label in detailed:
                one["factors"] = whole.of_class(label)[0].round(4).tolist()
            classes[class_names[label]] = one
        return found | {"factors": whole.mean.round(4).tolist(), "map": self.size, "classes": classes}


def _stages(net: mx.gluon.Block, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], list[str]]]:
    """(path, names of the residual blocks) of each `Stage` in a network, in order."""
    if isinstance(net, Stage):
        return [(path, [name for name, child in net._children.items() if isinstance(child, Residual)])]
    return [stage for name, child in net._children.items() for stage in _stages(child, (*path, name))]
