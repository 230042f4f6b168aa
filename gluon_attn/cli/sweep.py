"""`gluon-attn sweep`: run a sweep file of Weights & Biases."""

from collections.abc import Sequence
from typing import Any

from ..config.files import merge
from ..config.train import RunConfig
from ..runs.options import Options
from ..runs.study.sweep_file import SweepFile
from ..utils.errors import UserError
from ..utils.table import render
from .compare import add_study_flags, study_parser
from .flags import parse
from .parser import Parser
from .train import SCRIPTS, script_options
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


def sweep_parser() -> Parser:
    """The parser of `gluon-attn sweep`."""
    parser = study_parser("gluon-attn sweep", "Run the sweep that a file of Weights & Biases describes.")
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
    options = parse(sweep_parser(), argv, RunConfig, own=own)
    found = read_file(own["file"])
    return _of_program(found.program, options, found.flags, own["file"]), found, own


def _of_program(program: str | None, options: Options, flags: Sequence[str], file: str) -> Options:
    """The options with the defaults of the file's program, and its flags below those of this command line."""
    script = "gluon-attn train" if program is None else program
    if script not in SCRIPTS:
        known = ", ".join(name for name in SCRIPTS if name.endswith(".py"))
        raise UserError(f"{file}: key program names {program}, which is not one of ours: {known}")
    asked = script_options(script, flags)
    recipe = merge(merge(asked.recipe, asked.given), options.recipe)
    return Options(RunConfig, SCRIPTS[script].defaults, recipe, options.given)
