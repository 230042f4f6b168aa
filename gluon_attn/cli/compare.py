"""`gluon-attn compare`: which attention is worth it?"""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from ..config.files import from_yaml
from ..config.tasks import CLASSIFICATION, TrainingTask
from ..runs.options import Options
from ..utils.errors import UserError
from ..utils.table import render
from .flags import make_parser, parse
from .parser import Parser
from .starts import STARTS
from .train import SCRIPTS, add_task, of_task, shown_options
from .values import count, whole

if TYPE_CHECKING:
    from ..runs.study.plan import StudyPlan

#: flags of single runs, which a study sets itself
_HIDDEN = {"train": {"run_dir", "resume", "evaluate", "benchmark", "data_benchmark", "benchmark_batches", "summary"}}


def study_parser(prog: str, description: str, script: str, hidden: Collection[str] = ()) -> Parser:
    """The parser of a command whose runs are training runs.

    Args:
        prog: the command.
        description: what it does.
        script: the one of `SCRIPTS` that would make one of the runs.
        hidden: options that have no flag, beside those of single runs.
    """
    shown = shown_options(script)
    parser = make_parser(
        prog, description, SCRIPTS[script].task.config, SCRIPTS[script].defaults,
        lambda group, name: shown(group, name) and name not in {*hidden, *_HIDDEN.get(group, ())},
        conflict_handler="resolve", start=STARTS[prog.removeprefix("gluon-attn ")],
    )  # fmt: skip
    add_task(parser)
    return parser


def compare_parser(script: str = "gluon-attn train") -> Parser:
    """The parser of `gluon-attn compare`, whose runs are those of a script."""
    words = "Train a network with several attentions and seeds, and tell which differences are real."
    parser = study_parser("gluon-attn compare", words, script, {"attention"})
    section = parser.add_argument_group("the comparison")
    section.add_argument(
        "--attentions", metavar="NAME,NAME", required=True, help="what to compare; identity is the plain network"
    )
    section.add_argument("--seeds", type=whole, default=3, metavar="N", help="seeds, from --seed on (default 3)")
    section.add_argument(
        "--vary", action="append", default=[], metavar="OPTION=VALUE,VALUE",
        help="another option to vary, such as optim.lr=0.05,0.1; every combination is trained",
    )  # fmt: skip
    add_study_flags(section)
    return parser


def add_study_flags(section: Any) -> None:
    """Add the flags that every study has."""
    section.add_argument(
        "--output",
        default=None,
        metavar="DIR",
        help="folder of the study (default studies/NAME); resumed if it is there",
    )
    section.add_argument("--workers", type=whole, default=1, metavar="N", help="runs at the same time (default 1)")
    section.add_argument(
        "--storage", default=None, metavar="URL",
        help="database of the study, for several machines (default: a file in the folder)",
    )  # fmt: skip
    section.add_argument(
        "--max-failures",
        type=count,
        default=None,
        metavar="N",
        help="end when more runs have failed (default: no limit)",
    )


def main(argv: Sequence[str]) -> int:
    """Run the comparison; print its table and what can be concluded."""
    from ..runs.compare import compare_study
    from ..runs.pages.comparison import conclusions, table

    plan, study = plan_of(argv)
    found = compare_study(plan, study["output"], study["workers"], study["storage"], study["max_failures"])
    print(render(*table(found)))
    print("\n".join(conclusions(found)))
    print(f"curves and all runs: {found.folder.page}")
    return 0


def plan_of(argv: Sequence[str]) -> "tuple[StudyPlan, dict[str, Any]]":
    """(the runs that a command line asks for, the command's own flags)."""
    from ..runs.compare import make_plan

    study: dict[str, Any] = {}
    options = study_options("gluon-attn compare", compare_parser, argv, study)
    names = [name.strip() for name in study["attentions"].split(",") if name.strip()]
    return make_plan(options, names, study["seeds"], dict(map(factor, study["vary"]))), study


def study_options(
    prog: str,
    make: Callable[[str], Parser],
    argv: Sequence[str],
    own: dict[str, Any],
    default: TrainingTask = CLASSIFICATION,
) -> Options:
    """The options of all runs of a study, of the task that the words name.

    Args:
        prog: the command.
        make: its parser, for one of `SCRIPTS`.
        argv: the words after the command.
        own: gets the command's own flags.
        default: the task where no word names one.
    """
    script, rest = of_task(argv, prog, default)
    return parse(make(script), rest, SCRIPTS[script].task.config, SCRIPTS[script].defaults, own)


def factor(text: str) -> tuple[str, list[Any]]:
    """OPTION=VALUE,VALUE as (option, values); values are read as YAML reads them.

    Raises:
        UserError: there is no option or no value.
    """
    name, equals, values = text.partition("=")
    if not (name and equals and values.strip()):
        raise UserError(f"option vary takes OPTION=VALUE,VALUE, got {text!r}")
    try:
        return name, from_yaml(f"[{values}]")
    except ValueError:
        raise UserError(f"option vary takes OPTION=VALUE,VALUE, got {text!r}") from None
