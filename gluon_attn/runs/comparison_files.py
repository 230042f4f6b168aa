"""The files of a comparison: results.csv, results.json and its page."""

import csv
import dataclasses
import io
from typing import Any

from ..analyze.page import write_page
from ..config.scores import ACCURACY, Score
from ..utils.files import atomic_paths, write_json, write_text
from .comparison import Comparison, Method
from .pages.comparison import comparison_part, conclusions, runs_table


def write_comparison(found: Comparison) -> None:
    """Write the files of a comparison into its folder, all of them or none."""
    folder, part = found.folder, comparison_part(found)
    with atomic_paths(folder.results_table, folder.results_file, folder.page) as (table, results, page):
        write_text(table, _csv(found))
        write_json(results, _plain(found))
        write_page(page, part.title, part.summary, part.sections)


def _csv(found: Comparison) -> str:
    header, rows = runs_table(found)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def _plain(found: Comparison) -> dict[str, Any]:
    """The content of results.json."""
    methods = []
    first, *others = found.scores
    for method in found.methods:
        plain = {"name": method.name, "options": dict(method.options), **_scored(method, first)}
        for key in ("params", "macs", "latency", "overhead", "seconds"):
            plain[key] = getattr(method, key)
        plain["others"] = [_scored(method, score) for score in others]
        keys = ("number", "seed", "last", "best", "seconds")
        plain["runs"] = [
            {**{key: getattr(run, key) for key in keys}, **{score.key: run.of(score) for score in others}}
            for run in method.runs
        ]
        methods.append(plain)
    failed = [{"number": state.number, "reason": state.reason} for state in found.failed]
    states = [dataclasses.asdict(state) for state in found.states]
    return {"version": 1, "score": first.key, "baseline": found.baseline.name, "methods": methods, "failed": failed,
            "conclusions": conclusions(found), "runs": states}  # fmt: skip


def _scored(method: Method, score: Score) -> dict[str, Any]:
    """A score of a method and its difference from the baseline's."""
    one = method.differences.get(score.key)
    return {
        "accuracy" if score == ACCURACY else score.key: method.mean_of(score), "std": method.deviation_of(score),
        "difference": dataclasses.asdict(one) if one else None,
    }  # fmt: skip
