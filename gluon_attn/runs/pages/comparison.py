"""The files of a comparison: results.csv, results.json and a page with tables, pictures and words."""

import csv
import dataclasses
import io
from typing import Any

from ...analyze.comparison_plots import draw_differences, draw_pareto, draw_spread
from ...analyze.page import Part, Picture, Section, Table, Text, write_page
from ...analyze.paired import Difference
from ...utils.files import atomic_paths, write_json, write_text
from ...utils.table import without_empty
from ..comparison import Comparison, Method

#: heading of a panel of the curves -> key of the records
_CURVES = {"test accuracy": "val_accuracy", "test loss": "val_loss", "training accuracy": "train_accuracy",
           "training loss": "train_loss"}  # fmt: skip
HEADER = (
    "method", "accuracy", "difference (95 % interval)", "p (Holm)", "params", "MACs", "ms/image", "overhead", "s/epoch",
)  # fmt: skip


def write_comparison(found: Comparison) -> None:
    """Write the files of a comparison into its folder, all of them or none."""
    folder, part = found.folder, comparison_part(found)
    with atomic_paths(folder.results_table, folder.results_file, folder.page) as (table, results, page):
        write_text(table, _csv(found))
        write_json(results, _plain(found))
        write_page(page, part.title, part.summary, part.sections)


def comparison_part(found: Comparison) -> Part:
    """What a report shows of a comparison; columns that say nothing, such as intervals with one seed, are left out."""
    header, rows = table(found)
    sections = _sections(found, Table(header, rows, _best(found), "Scores and costs of each method"))
    return Part(_title(found), _summary(found), header, rows, sections, conclusions(found))


def table(found: Comparison) -> tuple[list[str], list[list[Any]]]:
    """(header, rows) of a table with a row per method; columns that say nothing are left out."""
    return without_empty(HEADER, [_row(method) for method in found.methods])


def conclusions(found: Comparison) -> list[str]:
    """What can be concluded, a sentence per method that is compared with the baseline."""
    return [_sentence(method, found.baseline) for method in found.methods if method.difference is not None]


def _row(method: Method) -> tuple:
    one = method.difference
    return (
        method.name,
        f"{100 * method.mean:.2f}" + (f" ± {100 * method.deviation:.2f} %" if method.deviation is not None else " %"),
        _with_interval(one) if one else "",
        f"{one.p_holm:.3f}" if one and one.p_holm is not None else "",
        method.params,
        method.macs,
        f"{method.latency:.2f}",
        f"{100 * (method.overhead - 1):+.0f} %",
        f"{method.seconds:.1f}",
    )


def _with_interval(one: Difference) -> str:
    interval = "" if one.low is None or one.high is None else f" ({100 * one.low:+.2f} to {100 * one.high:+.2f})"
    return f"{100 * one.mean:+.2f}{interval}"


def _sentence(method: Method, baseline: Method) -> str:
    one = method.difference
    assert one is not None
    seeds = _counted(one.seeds)
    if one.p is None:
        return f"{method.name}: {100 * one.mean:+.2f} points with one seed, from which nothing can be concluded."
    if one.is_told_apart:
        word = "better" if one.mean > 0 else "worse"
        return f"{method.name} is {word} than {baseline.name} by {100 * abs(one.mean):.2f} points with {seeds}."
    text = f"{method.name} cannot be told apart from {baseline.name} with {seeds}"
    if one.seeds_needed is not None:
        return (
            f"{text}; a difference of the size seen, {100 * one.mean:+.2f} points, would need about {one.seeds_needed} "
            "seeds."
        )
    return f"{text}."


def _counted(seeds: int) -> str:
    return f"{seeds} seed{'s' * (seeds > 1)}"


def _title(found: Comparison) -> str:
    config = found.plan.options.config()
    seeds = _counted(len(found.plan.seeds))
    return f"{config.model.model} on {config.data.dataset}: {len(found.methods)} methods, {seeds}"


def _summary(found: Comparison) -> str:
    config, seeds = found.plan.options.config(), found.plan.seeds
    named = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    return (
        f"Every method was trained for {config.train.num_epochs} epochs with {named}, with the same batches and, where "
        "tensors agree, the same initial weights. Accuracy is that of the last epoch on the test images, mean and "
        f"standard deviation over the seeds; differences are from {found.baseline.name}, in percentage points, paired "
        "by seed. p is that of a two-sided paired t-test after Holm's correction. Latency is that of one image in "
        "MXNet on this machine's CPU, all networks in turns; overhead is over the baseline's."
    )


def _sections(found: Comparison, methods: Table) -> list[Section]:
    names = [method.name for method in found.methods]
    differences = {method.name: method.difference for method in found.methods if method.difference}
    costs = {method.name: (method.latency, method.macs / 1e6) for method in found.methods}
    scores = {method.name: method.mean for method in found.methods}
    histories = {method.name: [run.history for run in method.runs] for method in found.methods}
    unit = f"difference from {found.baseline.name} in percentage points"
    sections = [
        Section("What can be concluded", [Text(conclusions(found))] if differences else []),
        Section("Methods", [methods]),
        Section(
            "Differences", [Picture(draw_differences(differences, unit), _described(found))] if differences else []
        ),
        Section("Accuracy over cost", [Picture(
            draw_pareto(costs, ("latency, ms per image", "MACs, millions"), scores, "test accuracy, %"),
            f"Accuracy over latency and over MACs of {', '.join(names)}; the table has the numbers.",
        )]),
        Section("Curves", [Picture(
            draw_spread(histories, _CURVES),
            f"{', '.join(_CURVES)} over the epochs, mean and standard deviation over the seeds of {', '.join(names)}.",
        )]),
    ]  # fmt: skip
    if found.failed:
        lines = [f"run {state.number:03d}: {state.reason}" for state in found.failed]
        sections.append(Section("Runs that failed", [Text(lines, fixed=True)]))
    sections.append(Section("Runs", [Table(*_runs(found), caption="Every run and its folder")]))
    return sections


def _best(found: Comparison) -> int | None:
    """The best method, if it is told apart from the baseline: nothing else is to be picked out."""
    best = max(range(len(found.methods)), key=lambda i: found.methods[i].mean)
    one = found.methods[best].difference
    return best if one and one.is_told_apart else None


def _described(found: Comparison) -> str:
    return "Differences with 95 % intervals. " + " ".join(conclusions(found))


def _runs(found: Comparison) -> tuple[list[str], list[list[Any]]]:
    header = ["run", *(one.key.partition(".")[2] for one in found.plan.space), "seed", "accuracy",
              "best accuracy", "seconds per epoch"]  # fmt: skip
    rows = [
        [f"{run.number:03d}", *_values(method), run.seed, f"{run.last:.4f}", f"{run.best:.4f}", f"{run.seconds:.2f}"]
        for method in found.methods
        for run in method.runs
    ]
    return header, sorted(rows)


def _values(method: Method) -> list[str]:
    return ["plain" if value is None else str(value) for value in method.options.values()]


def _csv(found: Comparison) -> str:
    header, rows = _runs(found)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def _plain(found: Comparison) -> dict[str, Any]:
    """The content of results.json."""
    methods = []
    for method in found.methods:
        plain = {"name": method.name, "options": dict(method.options), "accuracy": method.mean, "std": method.deviation}
        for key in ("params", "macs", "latency", "overhead", "seconds"):
            plain[key] = getattr(method, key)
        plain["difference"] = dataclasses.asdict(method.difference) if method.difference else None
        keys = ("number", "seed", "last", "best", "seconds")
        plain["runs"] = [{key: getattr(run, key) for key in keys} for run in method.runs]
        methods.append(plain)
    failed = [{"number": state.number, "reason": state.reason} for state in found.failed]
    states = [dataclasses.asdict(state) for state in found.states]
    return {"version": 1, "baseline": found.baseline.name, "methods": methods, "failed": failed,
            "conclusions": conclusions(found), "runs": states}  # fmt: skip
