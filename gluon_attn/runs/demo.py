"""The complete workflow on real handwritten digits in a few minutes: train, compare, export, check, report."""

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..analyze.cost import cost
from ..analyze.latency import latency
from ..analyze.plots import compare_histories
from ..analyze.report import write_report
from ..config.train import RunConfig
from ..deploy.export import FORMATS, export_run
from ..deploy.load_run import load_card
from ..utils.files import write_json
from ..utils.paths import check_output_folder, expanded
from .evaluation_data import open_test_set
from .folder import RunFolder
from .options import Options
from .placement import take_unused
from .train import train_run

ATTENTIONS = (None, "se", "eca", "cha_atac")
RECIPE: dict[str, dict[str, Any]] = {
    "data": {"dataset": "digits", "batch_size": 32},
    "model": {"model": "cifar_resnet20_v1"},
    "optim": {"lr": 0.1, "lr_mode": "cosine", "warmup_epochs": 1},
    "train": {"save_period": 0},
}
HEADER = ("attention", "params", "MACs", "test accuracy", "at best", "ms/image")


@dataclasses.dataclass(frozen=True)
class Row:
    """One trained network.

    Attributes:
        name: of its attention.
        params, macs: its cost.
        accuracy, best: test accuracy of the last and of the best epoch, from 0 to 1.
        ms: milliseconds per image in batches.
    """

    name: str
    params: int
    macs: int
    accuracy: float
    best: float
    ms: float

    def cells(self) -> tuple:
        """Values for the table, in the order of `HEADER`."""
        accuracies = (f"{100 * self.accuracy:6.2f} %", f"{100 * self.best:6.2f} %")
        return (self.name, self.params, self.macs, *accuracies, f"{self.ms:8.2f}")


@dataclasses.dataclass(frozen=True)
class Demo:
    """What the demo leaves: its folder, a row per network, the row of the best one, a line per exported file."""

    folder: RunFolder
    rows: list[Row]
    best: Row
    exported: list[str]


def demo(
    output: Path | str, num_epochs: int = 8, seed: int = 1, progress: Callable[[str], None] = lambda line: None
) -> Demo:
    """Train ResNet-20 plain and with three attentions, export the best, check the files, write results and a page.

    Args:
        output: the folder, numbered if it exists.
        num_epochs: of each run.
        seed: of everything random.
        progress: called with one line of text before each step.
    """
    check_output_folder(expanded(output), "option output")
    folder = RunFolder(take_unused(Path(expanded(output))))
    with contextlib.ExitStack() as stack:
        stack.callback(folder.remove_if_empty)
        return _demo(folder, num_epochs, seed, progress)


def _demo(folder, num_epochs, seed, progress):
    rows, histories = [], {}
    for attention in ATTENTIONS:
        progress(f"training cifar_resnet20_v1 with {attention or 'no attention'}")
        row, history = _train(folder, attention, num_epochs, seed)
        rows.append(row)
        histories[row.name] = history
    best = min(rows, key=lambda row: (-row.accuracy, row.macs))
    exported = _export(folder.below(best.name))
    write_json(folder.results_file, [dataclasses.asdict(row) for row in rows])
    _report(folder, rows, histories, best, exported)
    return Demo(folder, rows, best, exported)


def _train(folder, attention, num_epochs, seed):
    """(Row, history) of one run."""
    name = attention or "plain"
    options = Options(RunConfig, recipe=RECIPE).override("model.attention", attention).override("train.seed", seed)
    options = options.override("train.num_epochs", num_epochs)
    result = train_run(options.override("train.run_dir", str(folder.below(name).path)))
    shape = result.data.input_shape
    spent = cost(result.net, shape)
    ms = latency(result.net, shape)
    last = result.score_kind.of(result.history[-1])
    return Row(name, spent.params, spent.macs, last, result.score, ms), result.history


def _export(run):
    """Export a run in both formats, compared on all test images; returns a line per file."""
    val = open_test_set(run.path, load_card(run.path)).val
    images = val.take(range(len(val)), None)[0]
    return [str(one.agreement) for one in export_run(run.path, FORMATS, images=images)]


def _report(folder, rows, histories, best, exported):
    epochs, run = len(histories[best.name]), folder.below(best.name).path
    write_report(
        folder.report_file,
        title="Attention on handwritten digits",
        summary=f"cifar_resnet20_v1 without and with attention, {epochs} epoch{'s' * (epochs > 1)} each on "
        "scikit-learn's digits: 1,438 images to train on, 359 to test on, shown as 32x32 RGB. Test accuracy is that of "
        f"the last epoch, next to it the best epoch's. {best.name} was exported, with the weights of its best epoch.",
        header=HEADER,
        rows=[row.cells() for row in rows],
        marked=rows.index(best),
        figure=compare_histories(histories),
        sections=[
            ("Exported files, loaded back and compared", exported),
            ("Next", [f"gluon-attn eval {run}", f"gluon-attn eval {run / 'export' / best.name}.onnx"]),
        ],
    )
