"""What a report shows of training runs: their scores, curves and the options in which they differ."""

from collections.abc import Sequence

from ...analyze.page import Part, Section, Table
from ...analyze.plots import compare_histories
from ...config.scores import ACCURACY
from ..run_history import Run, best_run, by_data, differences, scores
from ..run_network import data_name

#: heading of a panel -> key of the records that it shows
PANELS = {
    "training loss": "train_loss",
    "test loss": "val_loss",
    f"{ACCURACY.name}, top-1": ACCURACY.key,
    f"{ACCURACY.name}, top-5": "val_top5",
    "learning rate": "lr",
    "images per second": "images_per_second",
}


def training_part(runs: Sequence[Run]) -> Part:
    """What a report shows of training runs, one or more."""
    header, rows = scores(runs)
    options, several = differences(runs), len(runs) > 1
    names = ", ".join(run.name for run in runs)
    curves = compare_histories(
        {run.name: run.history for run in runs},
        f"Losses, accuracy, learning rate and speed over the epochs of {names}; the table has the scores.",
        PANELS,
    )
    sections = [
        Section("Scores", _tables(runs)),
        Section("Curves", [curves]),
        Section("Options that differ", [Table(*options, caption="Options that differ")] if options[1] else []),
    ]
    summary = (
        f"Scores are those of the epoch with the best {ACCURACY.name} (top-1). img/s is the median over the epochs, "
        "evaluation left out."
    )
    title = f"{len(runs)} training runs" if several else runs[0].name
    return Part(title, summary, header, rows, sections)


def _tables(runs: Sequence[Run]) -> list[Table]:
    """A table for each data set, as only the runs of one are comparable; the best of several runs is marked."""
    groups, tables = by_data(runs), []
    for group in groups:
        on = f"{data_name(group[0].options)}: scores" if len(groups) > 1 else "Scores"
        best = best_run(group) if len(group) > 1 else None
        tables.append(Table(*scores(group), best, f"{on} of the best epoch of each run"))
    return tables
