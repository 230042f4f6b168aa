"""One search for a connection scheme (EAN), from options to a run folder."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..config.ean import EanSearchConfig
from ..config.files import merge
from ..engine.backend import Backend
from ..search.ean.baselines import Evolution, RandomSearch
from ..search.ean.policy_search import EanSearch
from ..search.ean.reward import LatencySaving, Reward
from ..search.ean.search_state import load_search, save_search
from ..search.ean.searcher import Searcher
from ..utils import log
from ..utils.checks import is_number
from ..utils.errors import UserError
from ..utils.files import read_json, sha256, write_json, write_text
from ..utils.progress import Progress
from .ean_context import SearchContext, supernet_options
from .ean_results import write_results
from .folder import RunFolder
from .options import Options
from .placement import placed
from .train import connect_quietly, describing


@dataclass(frozen=True)
class EanSearchResult:
    """What a search for a connection scheme leaves.

    Attributes:
        folder: the run folder.
        scheme_file: the best scheme's file there.
        searches: EAN's search, then the baselines.
        better_scheme_file: file of the scheme with the highest reward, if that is another one; else None.
    """

    folder: Path
    scheme_file: Path
    searches: list[Searcher]
    better_scheme_file: Path | None = None

    @property
    def scheme(self) -> str:
        """The best scheme, a 0 or 1 per block."""
        return self.searches[0].best()[0]


def ean_search(options: Options) -> EanSearchResult:
    """Search as the options of an `EanSearchConfig` say, or resume an earlier search where they ask for it.

    Data and network are those of the supernet's run where they are not given.

    Args:
        options: of an `EanSearchConfig`; option supernet names the trained supernet.
    """
    backend = connect_quietly()
    asked = merge(options.recipe, options.given)
    options = replace(options, recipe=merge(supernet_options(asked), options.recipe))
    with backend.peer_failures(), placed(options, backend) as place:
        config, folder = place.config, place.folder
        with Progress("preparing data and supernet"):
            context = SearchContext(config, backend)
        earlier = folder if place.resumed else None
        fixed = _fixed_by_start(config, context, earlier, backend)
        searches = _searches(config, context, fixed["times"], earlier)
        steps = [search.steps for search in searches]
        if backend.allreduce_sum(steps) != [backend.size * count for count in steps]:
            raise UserError("the processes do not see the same search: their hosts must share the run folder")
        states = folder.search_state(searches[0].name).parent
        with describing(place, backend), backend.watched(states), backend.peer_failures():
            if not backend.rank:
                write_json(folder.supernet_file, fixed)
                context.announce(folder)
            for search in searches:
                _run(search, config, None if backend.rank else folder)
            context.evaluator(context.extremes)  # by all processes
            if not backend.rank:
                write_results(folder, config, context, searches)
        backend.barrier()
        better = folder.better_scheme_file if folder.better_scheme_file.is_file() else None
        return EanSearchResult(folder.path, folder.scheme_file, searches, better)


def _fixed_by_start(
    config: EanSearchConfig, context: SearchContext, earlier: RunFolder | None, backend: Backend
) -> dict:
    """{"sha256" of the supernet, "times" if the reward needs them}: what a resumed search must have unchanged.

    earlier: the folder of the search that is resumed, or None. Process 0 measures the times for all.
    """
    found: dict[str, Any] = {"sha256": sha256(context.weights), "times": None}
    if earlier is not None and earlier.supernet_file.is_file():
        started = read_json(earlier.supernet_file)
        if not isinstance(started, dict) or set(started) != set(found) or not _are_times(started["times"]):
            raise UserError(f"{earlier.supernet_file} is damaged: start a new search")
        if started["sha256"] != found["sha256"]:
            raise UserError(
                f"{earlier} was started with other weights than those of {context.weights}: start a new search"
            )
        return started
    if config.score.reward_for == "latency":
        own = [0.0] * len(context.supernet.blocks) if backend.rank else context.stage_latencies()
        found["times"] = backend.allreduce_sum(own)
    return found


def _are_times(value):
    return value is None or (isinstance(value, list) and all(is_number(time) and time >= 0 for time in value))


def _searches(
    config: EanSearchConfig, context: SearchContext, times: list[float] | None, earlier: RunFolder | None
) -> list[Searcher]:
    """EAN's search and the baselines, resumed from the folder `earlier` unless that is None."""
    score, evaluator, blocks = config.score, context.evaluator, context.supernet.blocks
    saved = {"saved": LatencySaving(times, blocks)} if times else {}
    options = {
        "reward": Reward(score.reward_weight, score.reward_base, **saved),
        "seed": config.train.seed, "details": evaluator.details,
    }  # fmt: skip
    made: list[Searcher] = [EanSearch(sum(blocks), evaluator, config.ean, **options)]
    kinds = {"random": RandomSearch, "evolution": Evolution}
    for name in score.baselines:
        made.append(kinds[name](sum(blocks), evaluator, samples_per_step=made[0].samples_per_step, **options))
    for search in made:
        if earlier is not None and earlier.search_state(search.name).exists():
            load_search(search, earlier.search_state(search.name))
            evaluator.restore(search.samples)
    return made


def _run(search: Searcher, config: EanSearchConfig, folder: RunFolder | None) -> None:
    """Run a search to its last step, saved after each in `folder` (None: nowhere)."""
    steps, interval = config.ean.steps, config.train.log_interval
    bar = Progress(search.name, steps, "step", search.steps)

    def after(search, records):
        if folder is None:
            return
        text = "".join(json.dumps(record) + "\n" for record in search.samples)
        write_text(folder.samples_file(search.name), text)
        save_search(search, folder.search_state(search.name))
        bar.update(1, f"best {search.best()[1]:.3f}")
        if search.steps % interval == 0 or search.steps == steps:
            bits, reward = search.best()
            log.get_logger().info(
                "%s step %d/%d: rewards %s, best %.3f of %s, %d schemes evaluated", search.name, search.steps, steps,
                " ".join(f"{record['reward']:.3f}" for record in records), reward, bits, len(search.evaluate.scores),
            )  # fmt: skip

    with bar:
        search.run(steps, after)
