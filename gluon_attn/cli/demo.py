"""`gluon-attn demo`: the whole way on real handwritten digits, in a few minutes on two cores."""

import dataclasses
from pathlib import Path

from ..config.files import merge
from ..runs.folder import unused
from ..utils.files import ensure_dir, write_json
from ..utils.table import render
from .values import whole

ATTENTIONS = (None, "se", "eca", "cha_atac")
RECIPE = {
    "data": {"dataset": "digits", "batch_size": 32},
    "model": {"model": "cifar_resnet20_v1"},
    "optim": {"lr": 0.1, "lr_mode": "cosine", "warmup_epochs": 1},
    "train": {"save_period": 0},
}
HEADER = ("attention", "params", "MACs", "test accuracy", "at best", "ms/image")


def add_arguments(parser):
    """Flags of `gluon-attn demo`."""
    parser.add_argument("--output", metavar="DIR", default="runs/demo", help="folder (default runs/demo, numbered)")
    parser.add_argument("--num-epochs", type=whole, default=8, metavar="N", help="epochs of each run (default 8)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of everything random (default 1)")


@dataclasses.dataclass(frozen=True)
class Row:
    """One trained network: the last and the best epoch's test accuracy, from 0 to 1; `ms` for an image in batches."""

    name: str
    params: int
    macs: int
    accuracy: float
    best: float
    ms: float

    def cells(self):
        """Values for the table, in the order of `HEADER`."""
        accuracies = (f"{100 * self.accuracy:6.2f} %", f"{100 * self.best:6.2f} %")
        return (self.name, self.params, self.macs, *accuracies, f"{self.ms:8.2f}")


def run(args):
    """Train, compare, export the best, check the files, write the page."""
    folder = ensure_dir(unused(Path(args.output)))
    rows, histories = [], {}
    for attention in ATTENTIONS:
        print(f"training cifar_resnet20_v1 with {attention or 'no attention'}", flush=True)
        row, history = _train(folder, attention, args)
        rows.append(row)
        histories[row.name] = history
    print(f"\n{render(HEADER, [row.cells() for row in rows])}\n")
    best = min(rows, key=lambda row: (-row.accuracy, row.macs))
    lines = _export(folder / best.name)
    print("\n".join(lines))
    write_json(folder / "results.json", [dataclasses.asdict(row) for row in rows])
    _report(folder / "report.html", rows, histories, best, lines)
    print(f"curves and table: {folder / 'report.html'}")
    return 0


def _train(folder, attention, args):
    """(Row, history) of one run."""
    from ..analyze.cost import cost
    from ..analyze.latency import latency
    from ..runs.train import run as train

    name = attention or "plain"
    options = {"num_epochs": args.num_epochs, "seed": args.seed, "run_dir": str(folder / name)}
    result = train(merge(RECIPE, {"model": {"attention": attention}, "train": options}))
    shape = result.data.input_shape
    spent = cost(result.net, shape)
    ms = latency(result.net, shape)
    last = result.history[-1]["val_accuracy"]
    return Row(name, spent.params, spent.macs, last, result.best["val_accuracy"], ms), result.history


def _export(run_folder):
    """Export a run in both formats, compared on all test images; returns a line a file."""
    from ..deploy.export import FORMATS, export_run
    from ..deploy.load_run import load_card
    from ..runs.evaluation_data import open_test_set

    images = open_test_set(run_folder, load_card(run_folder)).val.images
    return [str(agreement) for agreement in export_run(run_folder, FORMATS, images=images)[1]]


def _report(path, rows, histories, best, lines):
    from ..analyze.plots import compare_histories
    from ..analyze.report import write_report

    epochs, run = len(histories[best.name]), path.parent / best.name
    write_report(
        path,
        title="Attention on handwritten digits",
        summary=f"cifar_resnet20_v1 without and with attention, {epochs} epoch{'s' * (epochs > 1)} each on "
        "scikit-learn's digits: 1,438 images to train on, 359 to test on, shown as 32x32 RGB. Test accuracy is that of "
        f"the last epoch, next to it the best epoch's. {best.name} was exported, with the weights of its best epoch.",
        header=HEADER,
        rows=[row.cells() for row in rows],
        marked=rows.index(best),
        figure=compare_histories(histories),
        sections=[
            ("Exported files, loaded back and compared", lines),
            ("To go on", [f"gluon-attn eval {run}", f"gluon-attn eval {run / 'export' / best.name}.onnx"]),
        ],
    )
