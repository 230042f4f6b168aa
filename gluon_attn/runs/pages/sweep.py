"""The files of a sweep: results.csv, results.json and a page with its trials, pictures and the best options."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from ...analyze.page import Part, Picture, Section, Table, Text, write_page
from ...analyze.sweep_plots import draw_importances, draw_pair, draw_parallel, draw_progress
from ...utils.errors import TrainingError
from ...utils.files import atomic_paths, write_json, write_text
from ..study.attempts import TrialState
from ..study.folder import StudyFolder
from ..study.plan import StudyPlan


def write_sweep(
    folder: StudyFolder,
    plan: StudyPlan,
    states: Sequence[TrialState],
    importances: Mapping[str, float],
    description: str | None = None,
) -> None:
    """Write the files of a sweep into its folder, all of them or none.

    Args:
        folder: of the study.
        plan: what was run.
        states: of its runs.
        importances: of the options for the score, {} if they cannot be told.
        description: text of the sweep file.

    Raises:
        TrainingError: no run is done.
    """
    part, best = sweep_part(folder, plan, states, importances, description), best_run(folder, plan, states)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([part.header, *part.rows])
    runs = [
        {"number": state.number, "state": state.state, "values": state.values, "score": state.score,
         "reason": state.reason, **(state.result or {})}
        for state in states
    ]  # fmt: skip
    content = {"version": 1, "description": description, "score": plan.score.key, "best": best.number,
               "importances": dict(importances)}  # fmt: skip
    with atomic_paths(folder.results_table, folder.results_file, folder.page) as (csv_file, results, page):
        write_text(csv_file, text.getvalue())
        write_json(results, {**content, "runs": runs})
        write_page(page, part.title, part.summary, part.sections)


def sweep_part(
    folder: StudyFolder,
    plan: StudyPlan,
    states: Sequence[TrialState],
    importances: Mapping[str, float],
    description: str | None = None,
) -> Part:
    """What a report shows of a sweep.

    Args:
        folder, plan, states, importances, description: as of `write_sweep`.

    Raises:
        TrainingError: no run is done.
    """
    best = best_run(folder, plan, states)
    summary = (
        f"{len(states)} runs by method {plan.method}; the score is the {plan.score.name} of the last epoch. "
        f"The best is run {best.number:03d} with {best.score:.4f}."
    )
    sections = _sections(plan, states, best, importances)
    title = "Sweep" if folder.name.lower() == "sweep" else f"Sweep {folder.name}"
    return Part(title, f"{description} {summary}" if description else summary,
                *table(plan, states), sections)  # fmt: skip


def best_run(folder: StudyFolder, plan: StudyPlan, states: Sequence[TrialState]) -> TrialState:
    """The run with the best score of those that are done; `TrainingError` if none is."""
    done = [state for state in states if state.state == "done" and state.score is not None]
    if not done:
        failed = [f"; run {state.number:03d}: {state.reason}" for state in states if state.state == "failed"]
        raise TrainingError(f"no run of {folder} {'succeeded' if failed else 'is done'}{''.join(failed[:1])}")
    sign = 1 if plan.score.higher_is_better else -1
    return max(done, key=lambda state: sign * (state.score or 0.0))


def table(plan: StudyPlan, states: Sequence[TrialState]) -> tuple[list[str], list[list[Any]]]:
    """(header, rows) of a table with a row per run, the best first."""
    sign = -1 if plan.score.higher_is_better else 1
    order = sorted(states, key=lambda one: (one.state != "done", sign * (one.score or 0), one.number))
    header = ["run", *map(short, (one.key for one in plan.space)), plan.score.name, "state"]
    rows = [
        [
            f"{state.number:03d}",
            *(_cell((state.values or {}).get(one.key, "")) for one in plan.space),
            "" if state.score is None else f"{state.score:.4f}",
            state.state,
        ]
        for state in order
    ]
    return header, rows


def short(key: str) -> str:
    """The name of an option without its group."""
    return key.partition(".")[2]


def _cell(value: Any) -> str:
    return "plain" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _sections(plan, states, best, importances):
    done = [state for state in states if state.state == "done"]
    name, up = plan.score.name, plan.score.higher_is_better
    rows = [{short(key): value for key, value in state.values.items()} for state in done]
    scores = [state.score for state in done]
    header, cells = table(plan, states)
    winning = yaml.safe_dump({short(key): value for key, value in best.values.items()}, sort_keys=False)
    yield_ = [
        Section("The best run", [Text(winning.strip().splitlines(), fixed=True)]),
        Section("Runs", [Table(header, cells, 0, "Options and score of each run, the best first")]),
        Section("Score over time", [Picture(
            draw_progress([state.score if state.state == "done" else None for state in states], up, name),
            f"{name} of each run in order, and the best so far.",
        )]),
    ]  # fmt: skip
    if len(done) > 1:
        words = f"Each run as a line over {', '.join(rows[0])} and its {name}; the table has the numbers."
        yield_.append(Section("Parallel coordinates", [Picture(draw_parallel(rows, scores, name), words)]))
    if importances:
        named = {short(key): value for key, value in importances.items()}
        words = "Importance of the options: " + ", ".join(f"{key} {value:.2f}" for key, value in named.items())
        yield_.append(Section("Importances", [Picture(draw_importances(named), words)]))
        if len(named) > 1:
            first, second, *_ = named
            pair = first, second
            words = f"{name} over {pair[0]} and {pair[1]}, the two most important options."
            yield_.append(
                Section("The two most important options", [Picture(draw_pair(rows, scores, pair, name), words)])
            )
    failed = [f"run {state.number:03d}: {state.reason}" for state in states if state.state == "failed"]
    return [*yield_, Section("Runs that failed", [Text(failed, fixed=True)] if failed else [])]
