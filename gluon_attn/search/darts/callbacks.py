"""Callbacks of the gradient searches, besides those of every training."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...engine.callbacks import Callback, Progress
from ...engine.metrics import Meter
from ...utils.files import write_json
from ...utils.log import get_logger

if TYPE_CHECKING:
    from ...engine.trainer import Trainer
    from .trainer import SearchTask


class SearchProgress(Progress):
    """As `Progress`; the bar and the epoch's line also show the entropy of the softmaxes and the skip connections."""

    def shown(self, trainer: "Trainer", meter: Meter) -> dict:
        """See `Progress.shown`."""
        derived = _task(trainer).derived_record()
        return {**super().shown(trainer, meter), "entropy": f"{derived['entropy']:.3f}", "skips": derived["skips"]}

    def epoch_end(self, trainer: "Trainer", record: dict) -> None:
        """Logs the epoch's line."""
        super().epoch_end(trainer, record)
        get_logger().info("epoch %d: entropy %.4f, %d skips", record["epoch"], record["entropy"], record["skips"])


class GenotypeFile(Callback):
    """A file with the genotype that is derived now, with seed, epoch and the supernet's validation accuracy.

    Args:
        path: the file, JSON.
        document: genotype, further entries -> plain data of a genotype file.
    """

    def __init__(self, path: Path, document: Callable[..., dict]) -> None:
        self._path, self._document = path, document

    def epoch_end(self, trainer: "Trainer", record: dict) -> None:
        """Writes the file."""
        genotype, _ = _task(trainer).derived()
        score = {"supernet_accuracy": round(100 * _task(trainer).score.of(record), 2)}
        seed = trainer.config.train.seed
        write_json(self._path, self._document(genotype, seed=seed, epoch=record["epoch"], score=score))


class CellPictures(Callback):
    """Pictures of the derived genotype, such as epoch-0010.png.

    Args:
        folder: where the pictures go.
        every: number of epochs from one picture to the next; the last epoch has one in any case.
        draw: `draw(genotype, path)` writes a picture.
    """

    def __init__(self, folder: Path, every: int, draw: Callable[[Any, Path], None]) -> None:
        self._folder, self._every, self._draw = folder, every, draw

    def epoch_end(self, trainer: "Trainer", record: dict) -> None:
        """Draws the picture of an epoch that has one."""
        if trainer.epoch % self._every == 0 or trainer.epoch == trainer.config.train.num_epochs:
            self._draw(_task(trainer).derived()[0], self._folder / f"epoch-{trainer.epoch:04d}.png")


class SkipLimit(Callback):
    """Stops the search once the derived genotype has too many skip connections, as DARTS+ does.

    Liang et al. 2019, https://arxiv.org/abs/1909.06035.

    Args:
        most: the number of skip connections that stops the search (DARTS+: 2).
    """

    def __init__(self, most: int) -> None:
        self._most = most

    def start(self, trainer: "Trainer") -> None:
        """Stops a resumed search that had reached the limit."""
        if trainer.history and trainer.history[-1]["skips"] >= self._most:
            trainer.stop(f"{trainer.history[-1]['skips']} skip connections would be chosen")

    def epoch_end(self, trainer: "Trainer", record: dict) -> None:
        """Stops the search if the limit is reached."""
        self.start(trainer)


class StableGenotype(Callback):
    """Stops the search once the derived genotype has not changed for some epochs, as DARTS+ does.

    Args:
        epochs: their number (DARTS+: 10).
    """

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs

    def start(self, trainer: "Trainer") -> None:
        """Stops a resumed search that had reached the limit."""
        last = [record["genotype"] for record in trainer.history[-self._epochs - 1 :]]
        if len(last) > self._epochs and all(genotype == last[-1] for genotype in last):
            trainer.stop(f"{self._epochs} epochs have chosen the same")

    def epoch_end(self, trainer: "Trainer", record: dict) -> None:
        """Stops the search if the limit is reached."""
        self.start(trainer)


def early_stopping(search: Any) -> Iterator[Callback]:
    """The early stopping of a search; all processes need these callbacks.

    Args:
        search: the options, a `GradientConfig`.

    Yields:
        The callbacks.
    """
    if search.stop_skips is not None:
        yield SkipLimit(search.stop_skips)
    if search.stop_stable:
        yield StableGenotype(search.stop_stable)


def _task(trainer: "Trainer") -> "SearchTask":
    """The task of a `SearchTrainer`."""
    return cast("SearchTask", trainer.task)
