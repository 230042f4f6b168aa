"""The complete workflow on real handwritten digits in a few minutes: a small comparison, then export and check."""

import contextlib
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..analyze.page import Section, Text, write_page
from ..config.train import RunConfig
from ..deploy.export import FORMATS, Exported, export_network
from ..deploy.load_run import load_run
from ..deploy.targets import ExportTarget
from ..deploy.verify import ExportChecks
from ..utils.paths import check_output_folder, expanded
from .compare import PLAIN, compare_study, make_plan
from .comparison import Comparison, Method
from .evaluation_data import open_test_set
from .options import Options
from .pages.comparison import comparison_part
from .placement import take_unused
from .study.folder import StudyFolder
from .study.processes import shares

ATTENTIONS = (PLAIN[0], "se", "eca", "cha_atac")
RECIPE: dict[str, dict[str, Any]] = {
    "data": {"dataset": "digits", "batch_size": 32},
    "model": {"model": "cifar_resnet20_v1"},
    "optim": {"lr": 0.1, "lr_mode": "cosine", "warmup_epochs": 1},
    "train": {"save_period": 0},
}


@dataclass(frozen=True)
class Demo:
    """What the demo leaves.

    Attributes:
        comparison: of the networks; its folder is the demo's.
        best: the method that was exported.
        exported: a line per exported file.
        next: commands that go on from there.
    """

    comparison: Comparison
    best: Method
    exported: list[str]
    next: list[str]


def demo(output: Path | str, num_epochs: int = 8, seed: int = 1) -> Demo:
    """Compare ResNet-20 plain and with three attentions, export the best, check the files, write a page.

    Args:
        output: the folder, numbered if it exists.
        num_epochs: of each run.
        seed: of everything random.

    Raises:
        UserError: the folder cannot be written to, or Optuna is not installed.
        TrainingError: no run succeeded.
    """
    check_output_folder(expanded(output), "option output")
    options = Options(RunConfig, recipe=RECIPE)
    options = options.override("train.num_epochs", num_epochs).override("train.seed", seed)
    plan = make_plan(options, ATTENTIONS, 1, {})
    folder = StudyFolder(take_unused(Path(expanded(output))))
    with contextlib.ExitStack() as stack:
        stack.callback(_remove_if_empty, folder.path)
        found = compare_study(plan, folder.path, workers=min(len(ATTENTIONS), sum(map(len, shares(1)))))
        best = min(found.methods, key=lambda method: (-method.mean, method.macs))
        exported = [str(one.agreement) for one in _export(folder, best)]
        commands = [f"gluon-attn eval {shlex.quote(str(path))}" for path in _targets(folder, best)]
        done = Demo(found, best, exported, commands)
        _write_page(done)
        return done


def _export(folder: StudyFolder, best: Method) -> list[Exported]:
    """Export a network in both formats, compared on all test images."""
    run = folder.run(best.runs[0].number).path
    net, card = load_run(run)
    val = open_test_set(run, card).val
    checks = ExportChecks(val.take(range(len(val)), None)[0])
    targets = [ExportTarget(kind) for kind in FORMATS]
    return export_network(net, card, best.name, targets, folder.path / "export", "files", checks)


def _targets(folder: StudyFolder, best: Method) -> list[Path]:
    """What `gluon-attn eval` takes: the run of the best network, and its ONNX file."""
    return [folder.run(best.runs[0].number).path, folder.path / "export" / f"{best.name}.onnx"]


def _write_page(done: Demo) -> None:
    part, run = comparison_part(done.comparison), done.best.runs[0]
    title = f"{done.best.name} exported, with the weights of its best epoch (test accuracy {100 * run.best:.2f} %)"
    sections = [*part.sections, Section(title, [Text(done.exported, fixed=True)]),
                Section("Next", [Text(done.next, fixed=True)])]  # fmt: skip
    write_page(done.comparison.folder.page, "Attention on handwritten digits", part.summary, sections)


def _remove_if_empty(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.rmdir()
