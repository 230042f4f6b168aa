"""Sweeps: studies that a file of Weights & Biases describes."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..config.files import read_yaml, write_yaml
from ..config.tasks import CLASSIFICATION, TrainingTask, task_named, task_of
from ..utils.errors import UserError
from ..utils.log import get_logger
from .options import Options, from_keywords
from .pages.sweep import best_run, write_sweep
from .study.attempts import TrialState
from .study.checks import check_runs
from .study.folder import STUDIES, StudyFolder
from .study.launch import begin, run_all
from .study.plan import SWEEP, StudyPlan
from .study.sweep_file import SWEEP as SWEEP_FILE
from .study.sweep_file import SweepFile, read_sweep
from .study.worker import open_trials


@dataclasses.dataclass(frozen=True)
class Sweep:
    """What a sweep leaves.

    Attributes:
        folder: of its study.
        plan: what was run.
        states: of its runs.
        best: the run with the best score.
        recipe: YAML file with the options of that run, for option config.
    """

    folder: StudyFolder
    plan: StudyPlan
    states: Sequence[TrialState]
    best: TrialState
    recipe: Path


def sweep(
    file: Path | str,
    *,
    trials: int | None = None,
    task: str = CLASSIFICATION.name,
    output: Path | str | None = None,
    workers: int = 1,
    storage: str | None = None,
    max_failures: int | None = None,
    **options: Any,
) -> Sweep:
    """Run a sweep, as `gluon-attn sweep` does.

    Args:
        file: sweep file of Weights & Biases.
        trials: number of runs (default: the file's run_cap; a grid is run whole).
        task: what is trained for, "classification" or "detection".
        output: folder of the study (default studies/NAME). A study that is there is resumed.
        workers: processes that train at the same time on this machine.
        storage: URL of a database for the study, which several machines may share (default: a file in the folder).
        max_failures: end the study when more runs have failed.
        options: options of all runs, by their names as flags and in recipes.

    Returns:
        The `Sweep`, whose files are in its folder.

    Raises:
        UserError: the file is no sweep, or an option does not fit.
        TrainingError: no run succeeded, or more failed than `max_failures`.
    """
    about = task_named(task)
    found = read_file(file, about)
    plan = make_plan(found, from_keywords(about.config, options, about.defaults), trials)
    return sweep_study(plan, found, file, output, workers, storage, max_failures)


def read_file(path: Path | str, task: TrainingTask = CLASSIFICATION) -> SweepFile:
    """What a sweep file says.

    Args:
        path: the file.
        task: what the runs train for.

    Raises:
        UserError: it cannot be read or is no sweep; the message names the file.
    """
    data = read_yaml(path, SWEEP_FILE)
    try:
        return read_sweep(data, task)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def make_plan(found: SweepFile, options: Options, trials: int | None = None) -> StudyPlan:
    """The runs of a sweep.

    Args:
        found: what the file says.
        options: of all runs.
        trials: number of runs (default: the file's).

    Raises:
        UserError: an option is given and varied, or as `StudyPlan`.
    """
    varied = next((one.key for one in found.space if options.asked(one.key) is not None), None)
    if varied:
        raise UserError(f"option {varied.partition('.')[2]} is varied by the sweep: leave it out")
    for key, value in found.fixed.items():
        if options.asked(key) is None:
            options = options.override(key, value)
    if found.project and options.asked("train.project") is None and options.asked("train.wandb"):
        options = options.override("train.project", found.project)
    config = options.config()
    early = found.early and {"max_resource": config.train.num_epochs, **found.early}
    return StudyPlan(
        options,
        found.space,
        (config.train.seed,),
        found.method,
        found.count if trials is None else trials,
        found.score or task_of(options.kind).scores(config)[0],
        early,
        found.target,
        SWEEP,
    )


def sweep_study(
    plan: StudyPlan,
    found: SweepFile,
    file: Path | str,
    output: Path | str | None = None,
    workers: int = 1,
    storage: str | None = None,
    max_failures: int | None = None,
) -> Sweep:
    """Run a sweep, or resume it, and write its results; see `sweep`."""
    name = found.name or Path(file).stem
    folder = StudyFolder(output or STUDIES / name)
    check_runs(plan)
    for note in found.notes:
        get_logger().info("%s", note)
    plan = begin(folder, plan, workers, storage, max_failures)
    entity = os.environ.get("WANDB_ENTITY") or found.entity
    states = run_all(folder, workers, storage, max_failures, {"WANDB_ENTITY": entity} if entity else {})
    best = best_run(folder, plan, states)
    config = plan.run_options(best.values or {}, plan.seed(best.number)).config()
    write_yaml(folder.recipe, config)
    write_sweep(folder, plan, states, open_trials(folder, storage)[1].importances(), found.description)
    return Sweep(folder, plan, states, best, folder.recipe)
