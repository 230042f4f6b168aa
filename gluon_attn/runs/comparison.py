"""The results of a comparison, read from the runs of its study."""

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from ..analyze.paired import Difference
from ..analyze.paired import compare as compare_scores
from ..config.scores import Score
from ..utils.errors import TrainingError
from .network_costs import Costs, measure
from .study.attempts import TrialState
from .study.folder import StudyFolder
from .study.plan import StudyPlan

ATTENTION = "model.attention"


@dataclasses.dataclass(frozen=True)
class SeedRun:
    """One run that is done.

    Attributes:
        number: of the run in its study.
        seed: of everything random in it.
        history: the records of its epochs.
        best: the score of its best epoch.
        last: the score of its last epoch that was evaluated, by which methods are compared: no choice among epochs
            flatters it.
        seconds: median seconds per epoch of training.
    """

    number: int
    seed: int
    history: Sequence[Mapping[str, Any]]
    best: float
    last: float
    seconds: float

    def of(self, score: Score) -> float:
        """Another score, of the last epoch that was evaluated."""
        return score.last(self.history)


@dataclasses.dataclass(frozen=True)
class Method:
    """One combination of the options that differ, with its runs.

    Attributes:
        name: in tables.
        options: "group.name" -> value of each option that differs.
        runs: one per seed that is done, in the order of the seeds.
        params, macs: cost of the network; MACs of one image.
        latency: milliseconds per image, batch 1.
        overhead: latency over that of the baseline, both measured in turns.
        differences: key of each score -> that from the baseline, over the seeds that both have; none for the baseline.
    """

    name: str
    options: Mapping[str, Any]
    runs: Sequence[SeedRun]
    params: int
    macs: int
    latency: float
    overhead: float
    differences: Mapping[str, Difference] = dataclasses.field(default_factory=dict)

    @property
    def mean(self) -> float:
        """Mean of the score that decides."""
        return statistics.fmean(run.last for run in self.runs)

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the score that decides; None with one seed."""
        return statistics.stdev(run.last for run in self.runs) if len(self.runs) > 1 else None

    @property
    def difference(self) -> Difference | None:
        """That of the score that decides, the first of `differences`; None for the baseline."""
        return next(iter(self.differences.values()), None)

    def mean_of(self, score: Score) -> float:
        """Mean of a score."""
        return statistics.fmean(run.of(score) for run in self.runs)

    def deviation_of(self, score: Score) -> float | None:
        """Standard deviation of a score over the seeds; None with one seed."""
        return statistics.stdev(run.of(score) for run in self.runs) if len(self.runs) > 1 else None

    @property
    def seconds(self) -> float:
        """Median seconds per epoch of training."""
        return statistics.median(run.seconds for run in self.runs)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What a comparison leaves.

    Attributes:
        folder: of its study.
        plan: what was run.
        methods: in the order in which they were given; those without a finished run are left out.
        baseline: the method that the others are compared with.
        states: of all runs.
        scores: what is compared; the first decides.
    """

    folder: StudyFolder
    plan: StudyPlan
    methods: Sequence[Method]
    baseline: Method
    states: Sequence[TrialState]
    scores: Sequence[Score]

    @property
    def score(self) -> Score:
        """The score that decides."""
        return self.scores[0]

    @property
    def failed(self) -> list[TrialState]:
        """The runs that failed."""
        return [state for state in self.states if state.state == "failed"]


def read_comparison(
    folder: StudyFolder, plan: StudyPlan, states: Sequence[TrialState], costs: Mapping[str, Costs] | None = None
) -> Comparison:
    """Read the runs of a comparison, measure the networks and compare their scores.

    Args:
        folder: of the study.
        plan: what it runs.
        states: of its runs; those that are done count.
        costs: name of each method -> its costs, measured before; they are measured where one is missing.

    Raises:
        TrainingError: no run is done.
    """
    combinations, groups = plan.combinations, []
    for index, combination in enumerate(combinations):
        runs = [
            _read_run(folder, state.number, plan.seed(state.number), plan.score)
            for state in states
            if state.state == "done" and state.number % len(combinations) == index
        ]
        if runs:
            groups.append((combination, runs))
    if not groups:
        failed = [f"; run {state.number:03d}: {state.reason}" for state in states if state.state == "failed"]
        raise TrainingError(f"no run of {folder} {'succeeded' if failed else 'is done'}{''.join(failed[:1])}")
    base = next((i for i, (combination, _) in enumerate(groups) if combination.get(ATTENTION) is None), 0)
    names = [label(combination) for combination, _ in groups]
    if costs is not None and set(names) <= set(costs):
        measured = [costs[name] for name in names]
    else:
        measured = measure([folder.run(runs[0].number).path for _, runs in groups], base)
    methods = [
        Method(name, combination, runs, *values)
        for name, (combination, runs), values in zip(names, groups, measured, strict=True)
    ]
    scores = plan.task.scores(plan.options.config())
    methods = _with_differences(methods, base, scores)
    return Comparison(folder, plan, methods, methods[base], states, scores)


def label(combination: Mapping[str, Any]) -> str:
    """The name of a combination in tables: the attention, or "plain", and what else differs."""
    words = [str(combination.get(ATTENTION) or "plain")]
    words += [f"{key.partition('.')[2]} {value}" for key, value in combination.items() if key != ATTENTION]
    return ", ".join(words)


def _read_run(folder, number, seed, score):
    history = folder.run(number).read_history()
    seconds = statistics.median(record["seconds"] for record in history)
    return SeedRun(number, seed, history, max(map(score.of, history)), score.last(history), seconds)


def _with_differences(methods, base, scores):
    """The methods with their differences from `methods[base]`, over the seeds that both have, score by score."""
    baseline = {run.seed: run for run in methods[base].runs}
    found: list[dict[str, Difference]] = [{} for _ in methods]
    for score in scores:
        pairs = {}
        for number, method in enumerate(methods):
            shared = [run for run in method.runs if run.seed in baseline]
            if number != base and shared:
                pairs[number] = [run.of(score) for run in shared], [baseline[run.seed].of(score) for run in shared]
        for number, one in zip(pairs, compare_scores(list(pairs.values())), strict=True):
            found[number][score.key] = one
    return [dataclasses.replace(method, differences=one) for method, one in zip(methods, found, strict=True)]
