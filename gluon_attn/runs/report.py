"""Compare finished runs on one HTML page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..analyze.plots import compare_histories
from ..analyze.report import write_report
from ..config.scores import ACCURACY
from ..utils.paths import check_new_file, expanded
from .run_history import best_run, differences, read_runs, scores

#: heading of a panel -> key of the records that it shows
PANELS = {
    "training loss": "train_loss",
    "test loss": "val_loss",
    f"{ACCURACY.name}, top-1": ACCURACY.key,
    f"{ACCURACY.name}, top-5": "val_top5",
    "learning rate": "lr",
    "images per second": "images_per_second",
}


def report(runs: Sequence[str | Path], output: str | Path) -> tuple[list[str], list[list[Any]]]:
    """Write a page with the scores, the curves and the differing options of run folders.

    Args:
        runs: The run folders.
        output: HTML file to write.

    Returns:
        (header, rows) of the table of scores.

    Raises:
        UserError: A folder is no run, or the page cannot be written.
    """
    output = expanded(output)
    check_new_file(output, "option output")
    found = read_runs([expanded(run) for run in runs])
    header, rows = scores(found)
    options = differences(found)
    write_report(
        output,
        title=found[0].name if len(found) == 1 else f"{len(found)} training runs",
        summary="Scores are those of the epoch with the best test accuracy (top-1). img/s is the median over the "
        "epochs, evaluation left out.",
        header=header,
        rows=rows,
        marked=best_run(found) if len(found) > 1 else None,
        figure=compare_histories({run.name: run.history for run in found}, PANELS),
        tables=[("Options that differ", *options)] if options[1] else [],
    )
    return header, rows
