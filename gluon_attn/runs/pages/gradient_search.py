"""What a report shows of gradient searches (Att-DARTS, ANAS): curves, weights of the operations, derived cells."""

from collections.abc import Iterator, Sequence
from typing import Any

from ...analyze.charts import operation_weights
from ...analyze.draw import cells_svg, missing, open_genotype
from ...analyze.figures import svg_text
from ...analyze.page import Panels, Part, Picture, Section, Table, Text
from ...analyze.plots import compare_histories
from ...config.search import AnasConfig, AttDartsConfig
from ...search.darts.methods import METHODS
from ...utils.files import read_json
from ...utils.table import without_empty
from ..folder import RunFolder
from ..run_history import Run, differences
from ..run_network import data_name

_CONFIGS = {config.kind: config for config in (AttDartsConfig, AnasConfig)}
#: heading of a panel -> key of the records that it shows
PANELS = {
    "training loss": "train_loss",
    "test loss": "val_loss",
    "training accuracy": "train_accuracy",
    "test accuracy": "val_accuracy",
    "entropy of the softmaxes": "entropy",
    "skip connections": "skips",
}
_HEADER = ("search", "data set", "epochs", "accuracy", "entropy", "skips", "genotype since epoch", "minutes")


def gradient_search_part(kind: str, runs: Sequence[tuple[Run, RunFolder]]) -> Part:
    """What a report shows of gradient searches of one kind, one or more.

    Args:
        kind: "att-darts" or "anas".
        runs: each with its folder.
    """
    found = [run for run, _ in runs]
    header, rows = without_empty(_HEADER, [_row(run) for run in found])
    names, options = ", ".join(run.name for run in found), differences(found)
    sections = [
        Section("Searches", [Table(header, rows, caption="How each search ended")]),
        Section("Curves", [compare_histories(
            {run.name: run.history for run in found},
            f"Losses, accuracies, entropy and skip connections over the epochs of {names}.",
            PANELS,
        )]),
        Section("Options that differ", [Table(*options, caption="Options that differ")] if options[1] else []),
    ]  # fmt: skip
    for run, folder in runs:
        sections += _own(kind, run, folder, len(runs) > 1)
    summary = (
        "Accuracy is that of the supernet on the test images. Entropy is the mean over the softmaxes of the "
        "architecture parameters: it falls as the search decides."
    )
    title = f"{len(runs)} searches ({kind})" if len(runs) > 1 else f"{runs[0][0].name} ({kind})"
    return Part(title, summary, header, rows, sections)


def random_search_part(folder: RunFolder, name: str) -> Part:
    """What a report shows of a search that trains genotypes drawn at random.

    Args:
        folder: its run folder.
        name: of the search.
    """
    found = read_json(folder.random_file)
    rows = [[row["number"], f"{row['accuracy']:.2%}", row["skips"]] for row in found]
    best = max(range(len(found)), key=lambda number: found[number]["accuracy"])
    header = ("genotype", "accuracy", "skips")
    sections = [
        Section("Genotypes", [Table(header, rows, best, "Accuracy of each genotype after its short training")]),
        *_cells(folder, "The best genotype"),
    ]
    return Part(f"{name} (random search)", "Each genotype was drawn at random and trained for some epochs.",
                header, rows, sections)  # fmt: skip


def _row(run: Run) -> list[Any]:
    last, genotypes = run.history[-1], [record.get("genotype") for record in run.history]
    since = next(i for i in range(len(genotypes)) if all(one == genotypes[-1] for one in genotypes[i:]))
    accuracy, minutes = last.get("val_accuracy"), sum(record.get("seconds", 0) for record in run.history) / 60
    return [
        run.name, data_name(run.options), len(run.history), None if accuracy is None else f"{accuracy:.2%}",
        f"{last['entropy']:.3f}", last["skips"], run.history[since]["epoch"], f"{minutes:.1f}",
    ]  # fmt: skip


def _own(kind: str, run: Run, folder: RunFolder, several: bool) -> Iterator[Section]:
    """The sections of a single search."""
    candidates = METHODS[kind](folder.read_config(_CONFIGS[kind])).candidates()
    of = f" of {run.name}" if several else ""
    words = (
        f"Softmax weight of each candidate operation over the epochs{of}, mean over all edges: a heat map for each of"
    )
    maps = [svg_text(operation_weights(run.history, {name: found})) for name, found in candidates.items()]
    yield Section(f"Weights of the operations{of}", [Panels(maps, f"{words} {', '.join(candidates)}.")])
    yield from _cells(folder, f"What the search chose{of}")


def _cells(folder: RunFolder, heading: str) -> Iterator[Section]:
    """The derived genotype: drawn, where Graphviz is there, and as text."""
    if not folder.genotype_file.is_file():
        return
    genotype = open_genotype(str(folder.genotype_file))
    text = Text([str(genotype)], fixed=True)
    if missing():
        yield Section(heading, [text, Text([f"No picture: {missing()}."])])
    else:
        yield Section(heading, [Picture(cells_svg(genotype), f"Graph of the genotype {genotype}."), text])
