"""What a report shows of a comparison: tables, pictures and words."""

from collections.abc import Sequence
from typing import Any

from ...analyze.comparison_plots import draw_differences, draw_pareto, draw_spread
from ...analyze.detector_parts import NOTE
from ...analyze.page import Panels, Part, Picture, Section, Table, Text
from ...analyze.paired import Difference
from ...config.scores import ACCURACY, Score
from ...config.tasks import CLASSIFICATION, DETECTION
from ...utils.table import without_empty
from ..comparison import Comparison, Method
from .detection import PANELS

#: name of a task -> heading of a panel of the curves -> key of the records
_CURVES = {
    CLASSIFICATION.name: {"test accuracy": "val_accuracy", "test loss": "val_loss",
                          "training accuracy": "train_accuracy", "training loss": "train_loss"},
    DETECTION.name: {name: key for name, key in PANELS.items() if key != "lr"},
}  # fmt: skip
#: name of a task -> how its scores and latencies came about
_MEASURED = {
    CLASSIFICATION.name: (
        "Accuracy is that of the last epoch on the test images",
        "Latency is that of one image in MXNet on this machine's CPU, all networks in turns; overhead is over the "
        "baseline's.",
    ),
    DETECTION.name: (
        "AP is that of the last epoch on the test images, times 100: the mean over the classes and over overlaps from "
        "0.5 to 0.95; AP50 is that of overlap 0.5",
        f"MACs are those of one canvas, with {NOTE}. Latency is that of a test "
        "image in MXNet on this machine's CPU, from its pixels to boxes and masks, all networks in turns; overhead is "
        "over the baseline's.",
    ),
}


_DIFFERENCE = ("difference (95 % interval)", "p (Holm)")  # of each score, beside it
_COSTS = ("params", "MACs", "ms/image", "overhead", "s/epoch")


def comparison_part(found: Comparison) -> Part:
    """What a report shows of a comparison; columns that say nothing, such as intervals with one seed, are left out."""
    header, rows = table(found)
    sections = _sections(found, Table(header, rows, _best(found), "Scores and costs of each method"))
    return Part(_title(found), _summary(found), header, rows, sections, conclusions(found))


def table(found: Comparison) -> tuple[list[str], list[list[Any]]]:
    """(header, rows) of a table with a row per method; columns that say nothing are left out."""
    header = ["method", *(name for one in found.scores for name in (short(one), *_DIFFERENCE)), *_COSTS]
    return without_empty(header, [_row(method, found.scores) for method in found.methods])


def conclusions(found: Comparison) -> list[str]:
    """What can be concluded, a sentence per method that is compared with the baseline."""
    return [_sentence(method, found) for method in found.methods if found.score.key in method.differences]


def short(score: Score) -> str:
    """The name of a score in a heading."""
    return score.name.removeprefix("test ")


def _unit(score: Score) -> str:
    """What stands behind a score times 100."""
    return " %" if score == ACCURACY else ""


def _row(method: Method, scores: Sequence[Score]) -> tuple:
    cells: list[str] = []
    for score in scores:
        deviation, one = method.deviation_of(score), method.differences.get(score.key)
        spread = f" ± {100 * deviation:.2f}" if deviation is not None else ""
        cells += [
            f"{100 * method.mean_of(score):.2f}{spread}{_unit(score)}",
            _with_interval(one) if one else "",
            f"{one.p_holm:.3f}" if one and one.p_holm is not None else "",
        ]
    return (
        method.name,
        *cells,
        method.params,
        method.macs,
        f"{method.latency:.2f}",
        f"{100 * (method.overhead - 1):+.0f} %",
        f"{method.seconds:.1f}",
    )


def _with_interval(one: Difference) -> str:
    interval = "" if one.low is None or one.high is None else f" ({100 * one.low:+.2f} to {100 * one.high:+.2f})"
    return f"{100 * one.mean:+.2f}{interval}"


def _sentence(method: Method, found: Comparison) -> str:
    one, baseline = method.differences[found.score.key], found.baseline
    seeds = _counted(one.seeds)
    points = f"points of {found.score.name}" if len(found.scores) > 1 else "points"
    if one.p is None:
        return f"{method.name}: {100 * one.mean:+.2f} {points} with one seed, from which nothing can be concluded."
    if one.is_told_apart:
        word = "better" if one.mean > 0 else "worse"
        return f"{method.name} is {word} than {baseline.name} by {100 * abs(one.mean):.2f} {points} with {seeds}."
    text = f"{method.name} cannot be told apart from {baseline.name} with {seeds}"
    if one.seeds_needed is not None:
        return (
            f"{text}; a difference of the size seen, {100 * one.mean:+.2f} {points}, would need about "
            f"{one.seeds_needed} seeds."
        )
    return f"{text}."


def _counted(number: int, name: str = "seed") -> str:
    return f"{number} {name}{'s' * (number > 1)}"


def _title(found: Comparison) -> str:
    config = found.plan.options.config()
    seeds = _counted(len(found.plan.seeds))
    return f"{config.model.model} on {config.data.dataset}: {len(found.methods)} methods, {seeds}"


def _summary(found: Comparison) -> str:
    config, seeds = found.plan.options.config(), found.plan.seeds
    named = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    scored, timed = _MEASURED[found.plan.task.name]
    several = " for the methods, each score for itself; what is concluded rests on the first score"
    length = _counted(config.train.num_epochs, "epoch")
    return (
        f"Every method was trained for {length} with {named}, with the same batches and, where tensors agree, the same "
        f"initial weights. {scored}, mean and standard deviation over the seeds; "
        f"differences are from {found.baseline.name}, in percentage points, paired "
        f"by seed. p is that of a two-sided paired t-test after Holm's correction{several * (len(found.scores) > 1)}. "
        f"{timed}"
    )


def _sections(found: Comparison, methods: Table) -> list[Section]:
    names = [method.name for method in found.methods]
    title, heading = short(found.score), f"{found.score.name}{',' * bool(_unit(found.score))}{_unit(found.score)}"
    title = title[0].upper() + title[1:]
    shown = {
        score: {one.name: one.differences[score.key] for one in found.methods if one.differences}
        for score in found.scores
    }
    differences, curves = shown[found.score], _CURVES[found.plan.task.name]
    costs = {method.name: (method.latency, method.macs / 1e6) for method in found.methods}
    scores = {method.name: method.mean for method in found.methods}
    histories = {method.name: [run.history for run in method.runs] for method in found.methods}
    unit = "difference from {} in percentage points{}"
    of = {score: f" of {score.name}" if len(found.scores) > 1 else "" for score in found.scores}
    pictures = [
        Picture(draw_differences(one, unit.format(found.baseline.name, of[score])), _described(found, score))
        for score, one in shown.items()
        if one
    ]
    sections = [
        Section("What can be concluded", [Text(conclusions(found))] if differences else []),
        Section("Methods", [methods]),
        Section("Differences", pictures),
        Section(f"{title} over cost", [Panels(
            draw_pareto(costs, ("latency, ms per image", "MACs, millions"), scores, heading),
            f"{title} over latency and over MACs of {', '.join(names)}; the table has the numbers.",
        )]),
        Section("Curves", [draw_spread(
            histories, curves,
            f"{', '.join(curves)} over the epochs, mean and standard deviation over the seeds of {', '.join(names)}.",
        )]),
    ]  # fmt: skip
    if found.failed:
        lines = [f"run {state.number:03d}: {state.reason}" for state in found.failed]
        sections.append(Section("Runs that failed", [Text(lines, fixed=True)]))
    sections.append(Section("Runs", [Table(*runs_table(found), caption="Every run and its folder")]))
    return sections


def _best(found: Comparison) -> int | None:
    """The best method, if it is told apart from the baseline: nothing else is to be picked out."""
    best = max(range(len(found.methods)), key=lambda i: found.methods[i].mean)
    one = found.methods[best].differences.get(found.score.key)
    return best if one and one.is_told_apart else None


def _described(found: Comparison, score: Score) -> str:
    if score == found.score:
        return "Differences with 95 % intervals. " + " ".join(conclusions(found))
    return f"Differences of {score.name} with 95 % intervals; the table has the numbers."


def runs_table(found: Comparison) -> tuple[list[str], list[list[Any]]]:
    """(header, rows) of a table with a row per run."""
    first, *others = found.scores
    header = ["run", *(one.key.partition(".")[2] for one in found.plan.space), "seed", short(first),
              f"best {short(first)}", *map(short, others), "seconds per epoch"]  # fmt: skip
    rows = [
        [f"{run.number:03d}", *_values(method), run.seed, f"{run.last:.4f}", f"{run.best:.4f}",
         *(f"{run.of(score):.4f}" for score in others), f"{run.seconds:.2f}"]
        for method in found.methods
        for run in method.runs
    ]  # fmt: skip
    return header, sorted(rows)


def _values(method: Method) -> list[str]:
    return ["plain" if value is None else str(value) for value in method.options.values()]
