"""What a search by gradients does around its loop besides what every training does."""

from ...engine.callbacks import Callback, Progress
from ...utils.files import write_json
from ...utils.log import get_logger


class SearchProgress(Progress):
    """As `Progress`; the bar and the epoch's line say how decided the choices are, and their skips."""

    def step(self, trainer, step, meter):
        super().step(trainer, step, meter)
        if self._bar is not None:
            found = trainer.found()
            said = {"loss": f"{meter.last_loss:.3f}", "entropy": f"{found['entropy']:.3f}", "skips": found["skips"]}
            self._bar.set_postfix(said, refresh=False)

    def epoch_end(self, trainer, record):
        super().epoch_end(trainer, record)
        get_logger().info("epoch %d: entropy %.4f, %d skips", record["epoch"], record["entropy"], record["skips"])


class GenotypeFile(Callback):
    """genotype.json: what is chosen now, with seed, epoch and the supernet's validation accuracy.

    document: genotype, about -> plain data of a genotype file.
    """

    def __init__(self, path, document):
        self._path, self._document = path, document

    def epoch_end(self, trainer, record):
        genotype, _ = trainer.derived()
        score = {"supernet_accuracy": round(100 * record["val_accuracy"], 2)}
        seed = trainer.config.train.seed
        write_json(self._path, self._document(genotype, seed=seed, epoch=record["epoch"], score=score))


class CellPictures(Callback):
    """A picture of what is chosen every `every` epochs, FOLDER/epoch-0010.png, with `draw(genotype, path)`."""

    def __init__(self, folder, every, draw):
        self._folder, self._every, self._draw = folder, every, draw

    def epoch_end(self, trainer, record):
        if trainer.epoch % self._every == 0 or trainer.epoch == trainer.config.train.num_epochs:
            self._draw(trainer.derived()[0], self._folder / f"epoch-{trainer.epoch:04d}.png")
