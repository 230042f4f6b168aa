"""One search for a connection scheme, from options to a run folder."""

import contextlib
import json
import logging
import sys
from dataclasses import dataclass
from pathlib import Path

from ..config.ean import EanSearchConfig
from ..config.files import merge
from ..utils import log
from ..utils.errors import UserError
from ..utils.files import read_json, sha256, write_json, write_text
from . import folder as run_folder
from .ean_results import write_results
from .ean_context import SearchContext, supernet_options

_SUPERNET = "supernet.json"


@dataclass(frozen=True)
class Found:
    """What a search leaves: its folder, the best scheme's file there, the searches, the first of them EAN's."""

    folder: Path
    scheme: Path
    searches: list


def search(given, recipe=None, defaults=None):
    """Search as the options say; goes on with an earlier search where they ask for it. Returns a `Found`.

    given, recipe, defaults: as in `training.run`; data and network are those of the supernet's run where not given.
    """
    from ..engine.backend import connect

    backend = connect()
    if backend.rank:  # process 0 speaks and writes for all
        log.to_terminal(logging.ERROR)
    recipe = merge(supernet_options(merge(recipe or {}, given)), recipe or {})
    with backend.watched():
        config, folder, resumed = run_folder.place(EanSearchConfig, given, recipe, defaults or {})
        setting = SearchContext(config, backend)
        told = _agreed(config, setting, folder if resumed else None, backend)
        searches = _searches(config, setting, told["times"], folder if resumed else None)
        steps = [search.steps for search in searches]
        if backend.total(steps) != [backend.size * count for count in steps]:
            raise UserError("the processes do not see the same search: their hosts must share the run folder")
        with contextlib.nullcontext() if backend.rank else run_folder.written(folder, config, resumed=resumed):
            if not backend.rank:
                write_json(folder / _SUPERNET, told)
            for one in searches:
                _go(one, config, None if backend.rank else folder)
            setting.evaluator(setting.extremes)  # by all processes
            if not backend.rank:
                write_results(folder, config, setting, searches)
        backend.barrier()
        return Found(folder, folder / "best.json", searches)


def _agreed(config, setting, folder, backend):
    """{"sha256" of the supernet, "times" if the reward wants them}: what a search goes on with must not change.

    folder: of the search that goes on, or None. Process 0 measures the times for all.
    """
    found = {"sha256": sha256(setting.weights), "times": None}
    if folder is not None and (folder / _SUPERNET).is_file():
        begun = read_json(folder / _SUPERNET)
        if begun["sha256"] != found["sha256"]:
            raise UserError(
                f"{folder} was begun with other weights than those of {setting.weights}: start a new search"
            )
        return begun
    if config.score.reward_for == "latency":
        own = [0.0] * len(setting.supernet.blocks) if backend.rank else setting.stage_latencies()
        found["times"] = backend.total(own)
    return found


def _searches(config, setting, times, folder):
    """EAN's search and those to compare with, gone on from `folder` unless that is None."""
    from ..search.ean.baselines import Evolution, RandomSearch
    from ..search.ean.reward import LatencySaving
    from ..search.ean.policy_search import EanSearch
    from ..search.ean.reward import Reward
    from ..search.ean.search_state import load_search

    score, evaluator, blocks = config.score, setting.evaluator, setting.supernet.blocks
    saved = {"saved": LatencySaving(times, blocks)} if times else {}
    options = {
        "reward": Reward(score.reward_weight, score.reward_base, **saved),
        "seed": config.train.seed, "details": evaluator.details,
    }  # fmt: skip
    made = [EanSearch(sum(blocks), evaluator, config.ean, **options)]
    kinds = {"random": RandomSearch, "evolution": Evolution}
    for name in score.baselines:
        made.append(kinds[name](sum(blocks), evaluator, samples_per_step=made[0].samples_per_step, **options))
    for one in made:
        if folder is not None and _state(folder, one).exists():
            load_search(one, _state(folder, one))
            evaluator.restore(one.samples)
    return made


def _state(folder, searcher):
    return folder / "state" / searcher.name


def _go(searcher, config, folder):
    """Run a search to its last step, saved behind each in `folder` (None: nowhere)."""
    from tqdm import tqdm

    from ..search.ean.search_state import save_search

    steps, interval = config.ean.steps, config.train.log_interval
    bar = tqdm(total=steps, initial=searcher.steps, desc=searcher.name, unit="step", leave=False,
               disable=folder is None or not sys.stderr.isatty())  # fmt: skip

    def after(searcher, records):
        if folder is None:
            return
        text = "".join(json.dumps(record) + "\n" for record in searcher.samples)
        write_text(folder / f"samples-{searcher.name}.jsonl", text)
        save_search(searcher, _state(folder, searcher))
        bar.update()
        if searcher.steps % interval == 0 or searcher.steps == steps:
            bits, reward = searcher.best()
            log.get_logger().info(
                "%s step %d/%d: rewards %s, best %.3f of %s, %d schemes known", searcher.name, searcher.steps, steps,
                " ".join(f"{record['reward']:.3f}" for record in records), reward, bits,
                len(searcher.evaluate.scores),
            )  # fmt: skip

    with bar:
        searcher.run(steps, after)
