"""Compare attentions: the same training with each of them and several seeds, and what can be concluded from it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..attention.factory import ATTENTIONS
from ..config.tasks import CLASSIFICATION, task_named, task_of
from ..models.factory import model_info
from ..utils.errors import TrainingError, UserError
from ..utils.log import get_logger
from .comparison import ATTENTION, Comparison, read_comparison
from .comparison_files import write_comparison
from .options import Options, from_keywords, place_of
from .study.attempts import TrialState
from .study.checks import check_runs
from .study.folder import STUDIES, StudyFolder
from .study.launch import begin, run_all
from .study.plan import StudyPlan
from .study.space import Factor

#: names of no attention at all
PLAIN = ("identity", "plain", "none")


def compare(
    *,
    attentions: Sequence[str | None],
    seeds: int = 3,
    vary: Mapping[str, Sequence[Any]] | None = None,
    task: str = CLASSIFICATION.name,
    output: Path | str | None = None,
    workers: int = 1,
    storage: str | None = None,
    max_failures: int | None = None,
    **options: Any,
) -> Comparison:
    """Train a network with several attentions and seeds, as `gluon-attn compare` does.

    Args:
        attentions: names of attentions; "identity", "plain" or None is the network without attention. The first of
            these, or else the first attention, is what the others are compared with.
        seeds: number of seeds, from option seed on.
        vary: further options to vary -> their values; every combination is trained.
        task: what is trained for, "classification" or "detection".
        output: folder of the study (default studies/NAME). A study that is there is resumed.
        workers: processes that train at the same time on this machine.
        storage: URL of a database for the study, which several machines may share (default: a file in the folder).
        max_failures: end the study when more runs have failed.
        options: further options of all runs, by their names as flags and in recipes, such as model="resnet18_v1b".

    Returns:
        The `Comparison`, whose files are in its folder.

    Raises:
        UserError: an unknown option, a value that does not fit, or a folder that holds something else.
        TrainingError: more runs than `max_failures` have failed.
    """
    about = task_named(task)
    plan = make_plan(from_keywords(about.config, options, about.defaults), attentions, seeds, vary or {})
    return compare_study(plan, output, workers, storage, max_failures)


def make_plan(
    options: Options, attentions: Sequence[str | None], seeds: int, vary: Mapping[str, Sequence[Any]]
) -> StudyPlan:
    """The runs of a comparison.

    Args:
        options: of all runs.
        attentions, seeds, vary: as of `compare`.

    Raises:
        UserError: as `compare`.
    """
    if options.asked(ATTENTION):
        raise UserError(
            "option attention, also in a recipe, fixes what is compared: leave it out, option attentions has the names"
        )
    if options.asked("model.model") is None:  # the default, without an attention that its name says
        name = options.config().model.model
        options = options.override("model.model", model_info(name).backbone or name)
    if seeds < 1:
        raise UserError(f"option seeds must be at least 1, got {seeds}")
    factors = [Factor(ATTENTION, _attentions(attentions))]
    factors += [Factor(place_of(options.kind, name), tuple(values)) for name, values in vary.items()]
    if any(factor.key == "train.seed" for factor in factors):
        raise UserError("option vary cannot vary the seed: option seeds says how many there are, option seed the first")
    if options.asked("train.init") is None:
        options = options.override("train.init", "per_tensor")
    config = options.config()
    first = config.train.seed
    score = task_of(options.kind).scores(config)[0]
    return StudyPlan(options, tuple(factors), tuple(range(first, first + seeds)), score=score)


def _attentions(given: Sequence[str | None]) -> tuple[str | None, ...]:
    """The names, None for the plain network; each attention may be there once, whatever its spelling."""
    if not given:
        raise UserError("option attentions names nothing: give names with commas between them")
    names = [None if name in (*PLAIN, None) else name for name in given]
    known = ["plain" if name is None else ATTENTIONS.resolve(name) for name in names]
    twice = next((name for number, name in enumerate(known) if name in known[:number]), None)
    if twice:
        spelled = " and ".join(dict.fromkeys(str(name) for name, one in zip(given, known, strict=True) if one == twice))
        raise UserError(f"option attentions has {twice} twice{f', as {spelled}' if spelled != twice else ''}")
    return tuple(names)


def compare_study(
    plan: StudyPlan,
    output: Path | str | None = None,
    workers: int = 1,
    storage: str | None = None,
    max_failures: int | None = None,
) -> Comparison:
    """Run a comparison, or resume it, and write its results; see `compare`."""
    folder = StudyFolder(output or STUDIES / default_name(plan))
    check_runs(plan)
    asked, plan = plan.seeds, begin(folder, plan, workers, storage, max_failures)
    if len(plan.seeds) > len(asked):
        get_logger().info("%s has %d seeds, from an earlier call: all are shown", folder, len(plan.seeds))
    if len(plan.combinations) == 1:
        get_logger().warning("one method: there is nothing to compare it with")
    states = run_all(folder, workers, storage, max_failures)
    _check_here(folder, states)
    found = read_comparison(folder, plan, states)
    write_comparison(found)
    return found


def _check_here(folder: StudyFolder, states: Sequence[TrialState]) -> None:
    """See that the runs that are done are in this folder; machines may have folders of their own."""
    done = [state.number for state in states if state.state == "done"]
    missing = ", ".join(f"{number:03d}" for number in done if not folder.run(number).metrics_file.is_file())
    if missing:
        raise TrainingError(
            f"all runs have ended, but runs {missing} are not in {folder}, deleted or made on another machine: "
            f"copy their folders to {folder.path / 'runs'} and give the same command again"
        )


def default_name(plan: StudyPlan) -> str:
    """The name of a comparison's folder, such as digits-cifar_resnet20_v1."""
    config = plan.options.config()
    return f"{config.data.dataset}-{config.model.model}"
