"""`gluon-attn sweep`: run a sweep file of Weights & Biases."""

import contextlib
from collections.abc import Sequence
from typing import Any

from ..config.files import merge
from ..config.tasks import CLASSIFICATION, TrainingTask, task_of
from ..runs.options import Options
from ..runs.study.sweep_file import SweepFile, read_program
from ..utils.errors import UserError
from ..utils.paths import expanded
from ..utils.table import render
from .compare import add_study_flags, study_options, study_parser
from .parser import Parser
from .train import OF_TASK, SCRIPTS, script_options
from .values import whole


def main(argv: Sequence[str]) -> int:
    """Run the sweep; print its runs and where the best options are."""
    from ..runs.pages.sweep import table
    from ..runs.sweep import make_plan, sweep_study

    options, found, own = options_of(argv)
    plan = make_plan(found, options, own["trials"])
    study = [own[key] for key in ("output", "workers", "storage", "max_failures")]
    done = sweep_study(plan, found, own["file"], *study)
    print(render(*table(done.plan, done.states)))
    print(f"best run: {done.folder.run(done.best.number)}; its options: {done.recipe}; page: {done.folder.page}")
    return 0


def sweep_parser(script: str = "gluon-attn train") -> Parser:
    """The parser of `gluon-attn sweep`, whose runs are those of a script."""
    parser = study_parser("gluon-attn sweep", "Run the sweep that a file of Weights & Biases describes.", script)
    parser.usage = "gluon-attn sweep FILE [options]"
    parser.add_argument("file", metavar="FILE", help="sweep file of Weights & Biases, such as sweep.yaml")
    section = parser.add_argument_group("the sweep")
    section.add_argument("--trials", type=whole, default=None, metavar="N", help="number of runs (default: run_cap)")
    add_study_flags(section)
    return parser


def options_of(argv: Sequence[str]) -> tuple[Options, SweepFile, dict[str, Any]]:
    """What a command line says.

    Args:
        argv: the words after the command.

    Returns:
        (options of all runs, the sweep file, the command's own flags).
    """
    from ..runs.sweep import read_file

    own: dict[str, Any] = {}
    options = study_options("gluon-attn sweep", sweep_parser, argv, own, _task_of_file(argv))
    task = task_of(options.kind)
    script = _script(read_program(own["file"]), own["file"], task)
    found = read_file(own["file"], task)
    asked = script_options(script, found.flags)
    recipe = merge(merge(asked.recipe, asked.given), options.recipe)
    return Options(task.config, SCRIPTS[script].defaults, recipe, options.given), found, own


def _task_of_file(argv: Sequence[str]) -> TrainingTask:
    """What the program of the file trains for, which such a command line has first, where it does not say that."""
    with contextlib.suppress(UserError, LookupError):  # told when the words are parsed, and the file is read
        return SCRIPTS[str(read_program(expanded(argv[0])))].task
    return CLASSIFICATION


def _script(program: str | None, file: str, task: TrainingTask) -> str:
    """The script whose defaults and flags the runs have."""
    if program is None:
        return OF_TASK[task.name]
    if program not in SCRIPTS:
        known = ", ".join(name for name in SCRIPTS if name.endswith(".py"))
        raise UserError(f"{file}: key program names {program}, which is not one of ours: {known}")
    own = SCRIPTS[program].task
    if own is not task:
        raise UserError(f"{file}: its program {program} does {own.name}, not {task.name}: give option task {own.name}")
    return program
