"""Compare attentions: the same training with each of them and several seeds, and what can be concluded from it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..config.train import RunConfig
from ..utils.errors import UserError
from .comparison import ATTENTION, Comparison, label, read_comparison
from .options import Options, from_keywords, place_of
from .pages.comparison import write_comparison
from .study.folder import STUDIES, StudyFolder
from .study.launch import begin, run_all
from .study.plan import StudyPlan
from .study.space import Factor

#: names of no attention at all
PLAIN = ("identity", "plain", "none")
#: options of a single run that a study decides by itself
_OWN = ("train.run_dir", "train.resume", "train.seed", "train.evaluate", "train.benchmark", "train.data_benchmark")


def compare(
    *,
    attentions: Sequence[str | None],
    seeds: int = 3,
    vary: Mapping[str, Sequence[Any]] | None = None,
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
    plan = make_plan(from_keywords(RunConfig, options), attentions, seeds, vary or {})
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
    for key in _OWN:
        if options.asked(key) not in (None, False) and key != "train.seed":
            raise UserError(f"option {key.partition('.')[2]} is for single runs: leave it out")
    if options.asked(ATTENTION):
        raise UserError("option attention fixes what is compared: leave it out, option attentions has the names")
    if seeds < 1:
        raise UserError(f"option seeds must be at least 1, got {seeds}")
    names = [None if name in (*PLAIN, None) else name for name in attentions]
    factors = [Factor(ATTENTION, tuple(names))]
    factors += [Factor(place_of(RunConfig, name), tuple(values)) for name, values in vary.items()]
    if options.asked("train.init") is None:
        options = options.override("train.init", "per_tensor")
    first = options.config().train.seed
    return StudyPlan(options, tuple(factors), tuple(range(first, first + seeds)))


def compare_study(
    plan: StudyPlan,
    output: Path | str | None = None,
    workers: int = 1,
    storage: str | None = None,
    max_failures: int | None = None,
) -> Comparison:
    """Run a comparison, or resume it, and write its results; see `compare`."""
    folder = StudyFolder(output or STUDIES / default_name(plan))
    check_networks(plan)
    plan = begin(folder, plan, workers, storage)
    states = run_all(folder, workers, storage, max_failures)
    found = read_comparison(folder, plan, states)
    write_comparison(found)
    return found


def default_name(plan: StudyPlan) -> str:
    """The name of a comparison's folder, such as digits-cifar_resnet20_v1."""
    config = plan.options.config()
    return f"{config.data.dataset}-{config.model.model}"


def check_networks(plan: StudyPlan) -> None:
    """Build each network once, so that one that cannot be built is told before anything is trained.

    Raises:
        UserError: as for a training run; the message names the options that differ.
    """
    from ..data.factory import open_dataset
    from ..models.build import build

    seen: dict[str, Any] = {}
    for combination in plan.combinations:
        config = plan.run_options(combination).config()
        data = seen.setdefault(str(config.data), None) or open_dataset(config.data, plan.seeds[0])
        seen[str(config.data)] = data
        try:
            build(config.model.replace(pretrained=None, use_pretrained=False), data.classes, data.input_shape[1])
        except UserError as error:
            raise UserError(f"{label(combination)}: {error}") from None
