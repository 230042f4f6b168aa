"""Several searches in one call, one per seed: each in a folder of its own, and the best of them."""

from dataclasses import dataclass

from ..config.search import AnasConfig, AttDartsConfig
from ..engine.backend import Backend
from ..search.darts.methods import Genotype
from ..utils.errors import UserError
from ..utils.files import read_json, write_json
from ..utils.log import get_logger
from .folder import RunFolder
from .gradient_search import gradient_search
from .group_placement import group_placed
from .options import Options
from .retrain import retrain


@dataclass(frozen=True)
class MultiSeedResult:
    """What several searches leave.

    Attributes:
        folder: with seeds.json, the best genotype in genotype.json and a run folder seed-N per seed.
        genotype: the best one.
        rows: one per search: seed, accuracy, entropy, skips and, where networks were trained, retrained.
        best: the row of the best search.
        criterion: the key that decided.
    """

    folder: RunFolder
    genotype: Genotype
    rows: list[dict]
    best: dict
    criterion: str


def multi_seed_search(options: Options, backend: Backend) -> MultiSeedResult:
    """Search once per seed in option seeds, each in a folder of its own.

    With option resume, searches that were begun are resumed.

    Args:
        options: of an `AttDartsConfig` or `AnasConfig`.
        backend: the processes of the run.

    Raises:
        UserError: a seed is given twice, or as in `gradient_search`.
    """
    config = options.config()
    seeds = config.search.seeds
    if len(set(seeds)) < len(seeds):
        raise UserError(f"option seeds must have each seed once, got {','.join(map(str, seeds))}")
    own = options.override("search.seeds", None)
    parts = {f"seed-{seed}": own.override("train.seed", seed) for seed in seeds}
    with group_placed(config, backend, parts, "-seeds") as top:
        return _search_each(top, dict(zip(seeds, parts.values(), strict=True)), config, backend)


def _search_each(
    top: RunFolder, searches: dict[int, Options], config: AttDartsConfig | AnasConfig, backend: Backend
) -> MultiSeedResult:
    rows, genotypes = [], {}
    for seed, options in searches.items():
        get_logger().info("seed %d", seed)
        found = gradient_search(options.override("train.run_dir", str(top.below(f"seed-{seed}"))), backend)
        row = {
            "seed": seed, "accuracy": found.accuracy, "entropy": found.last["entropy"], "skips": found.last["skips"]
        }  # fmt: skip
        if config.search.pick_by == "retrain":
            row["retrained"] = retrain(found.trainer.config, found.genotype, backend, seed)
        rows.append({**row, "folder": found.folder.path.name})
        genotypes[seed] = found.genotype
    criterion = "retrained" if config.search.pick_by == "retrain" else "accuracy"
    best = max(rows, key=lambda row: row[criterion])
    if not backend.rank:
        write_json(top.seeds_file, {"best": best["seed"], "by": criterion, "searches": rows})
        write_json(top.genotype_file, read_json(top.below(best["folder"]).genotype_file))
    return MultiSeedResult(top, genotypes[best["seed"]], rows, best, criterion)
