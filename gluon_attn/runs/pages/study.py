"""What a report shows of a study, at work or ended: that of its comparison or sweep."""

from collections.abc import Mapping
from typing import Any

from ...analyze.page import Part
from ...utils.errors import TrainingError, UserError
from ...utils.files import read_json
from ..comparison import read_comparison
from ..network_costs import Costs
from ..study.attempts import TrialState
from ..study.folder import StudyFolder
from ..study.plan import COMPARISON
from ..study.worker import open_trials
from .comparison import comparison_part
from .sweep import sweep_part


def study_part(folder: StudyFolder) -> Part:
    """What a report shows of a study.

    Its runs are those of its database. Where that is elsewhere, they are those that the results tell; costs that these
    hold are not measured again.

    Args:
        folder: of the study.

    Raises:
        UserError: the folder has neither database nor results, no run is done, or a file is damaged.
    """
    plan, results = folder.read_plan(), _results(folder)
    if folder.database.is_file():
        _, trials = open_trials(folder, None)
        states, importances = trials.states(), trials.importances()
    elif results is None:
        raise UserError(f"{folder} has no results yet, and its database is elsewhere: end the study by its command")
    else:
        states, importances = _states(results), results.get("importances", {})
    try:
        if plan.kind == COMPARISON:
            return comparison_part(read_comparison(folder, plan, states, _costs(results)))
        return sweep_part(folder, plan, states, importances, results.get("description") if results else None)
    except TrainingError as error:  # no run is done
        raise UserError(f"{error}; its command resumes it") from None


def _results(folder: StudyFolder) -> Mapping[str, Any] | None:
    if not folder.results_file.is_file():
        return None
    found = read_json(folder.results_file)
    if not isinstance(found, dict) or not isinstance(found.get("runs"), list):
        raise UserError(f"{folder.results_file} is damaged: run the command of the study again, which writes it anew")
    return found


def _states(results: Mapping[str, Any]) -> list[TrialState]:
    keys = ("number", "state", "values", "score", "reason")
    return [TrialState(**{key: run.get(key) for key in keys}) for run in results["runs"]]


def _costs(results: Mapping[str, Any] | None) -> dict[str, Costs]:
    """Name of each method -> its costs."""
    methods = results["methods"] if results else []
    return {one["name"]: (one["params"], one["macs"], one["latency"], one["overhead"]) for one in methods}
