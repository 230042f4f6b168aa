"""What a gradient search does around its loop besides what every training does."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ...engine.callbacks import Callback, Progress
from ...utils.files import write_json
from ...utils.log import get_logger


class SearchProgress(Progress):
    """As `Progress`; the bar and the epoch's line show the entropy of the candidate choice and the skip connections."""

    def shown(self, trainer, meter):
        derived = trainer.task.derived_record()
        return {**super().shown(trainer, meter), "entropy": f"{derived['entropy']:.3f}", "skips": derived["skips"]}

    def epoch_end(self, trainer, record):
        super().epoch_end(trainer, record)
        get_logger().info("epoch %d: entropy %.4f, %d skips", record["epoch"], record["entropy"], record["skips"])


class GenotypeFile(Callback):
    """A file with the genotype that is derived now, with seed, epoch and the supernet's validation accuracy.

    Args:
        path: the file, JSON.
        document: genotype, further entries -> plain data of a genotype file.
    """

    def __init__(self, path: Path, document: Callable[..., dict]):
        self._path, self._document = path, document

    def epoch_end(self, trainer, record):
        genotype, _ = trainer.task.derived()
        score = {"supernet_accuracy": round(100 * trainer.task.score.of(record), 2)}
        seed = trainer.config.train.seed
        write_json(self._path, self._document(genotype, seed=seed, epoch=record["epoch"], score=score))


class CellPictures(Callback):
    """A picture of the derived genotype every `every` epochs, FOLDER/epoch-0010.png, with `draw(genotype, path)`."""

    def __init__(self, folder: Path, every: int, draw: Callable[[Any, Path], None]):
        self._folder, self._every, self._draw = folder, every, draw

    def epoch_end(self, trainer, record):
        if trainer.epoch % self._every == 0 or trainer.epoch == trainer.config.train.num_epochs:
            self._draw(trainer.task.derived()[0], self._folder / f"epoch-{trainer.epoch:04d}.png")


class SkipLimit(Callback):
    """Stops the search once the derived genotype would have `most` skip connections or more (DARTS+: 2)."""

    def __init__(self, most: int):
        self._most = most

    def start(self, trainer):
        if trainer.history and trainer.history[-1]["skips"] >= self._most:
            trainer.stop(f"{trainer.history[-1]['skips']} skip connections would be chosen")

    def epoch_end(self, trainer, record):
        self.start(trainer)


class StableGenotype(Callback):
    """Stops the search once `epochs` epochs have derived the same genotype (DARTS+: 10)."""

    def __init__(self, epochs: int):
        self._epochs = epochs

    def start(self, trainer):
        last = [record["genotype"] for record in trainer.history[-self._epochs - 1 :]]
        if len(last) > self._epochs and all(genotype == last[-1] for genotype in last):
            trainer.stop(f"{self._epochs} epochs have chosen the same")

    def epoch_end(self, trainer, record):
        self.start(trainer)


def early_stopping(search: Any) -> Iterator[Callback]:
    """The callbacks that the options of a search ask for, a `GradientConfig`; all processes need them."""
    if search.stop_skips is not None:
        yield SkipLimit(search.stop_skips)
    if search.stop_stable:
        yield StableGenotype(search.stop_stable)
