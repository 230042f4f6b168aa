"""Several searches in one call, one a seed: each in its own folder, a table, and the best of them."""

import statistics
from pathlib import Path

from ..utils.errors import UserError
from ..utils.files import read_json, write_json
from ..utils.log import get_logger
from . import folder as run_folder
from ..runs.options import resolve
from ..utils.table import render


def several(config_class, given, recipe, defaults, backend):
    """Search once for each of `--seeds` in FOLDER/seed-N, write FOLDER/seeds.json and FOLDER/genotype.json."""
    from ..cli.searches import gradient
    from .retrain import retrain

    config = resolve(config_class, defaults, recipe, given)
    if len(set(config.search.seeds)) < len(config.search.seeds):
        raise UserError(f"each of --seeds once, got {','.join(map(str, config.search.seeds))}")
    top, rows = _folder(config), []
    for seed in config.search.seeds:
        get_logger().info("seed %d", seed)
        own = {**given, "train": {**given.get("train", {}), "seed": seed, "run_dir": str(top / f"seed-{seed}")}}
        own["search"] = {key: value for key, value in given.get("search", {}).items() if key != "seeds"}
        folder, trainer = gradient.run(config_class, own, _without_seeds(recipe), defaults, backend)
        last = trainer.history[-1]
        row = {"seed": seed, "accuracy": last["val_accuracy"], "entropy": last["entropy"], "skips": last["skips"]}
        if config.search.pick_by == "retrain":
            row["retrained"] = retrain(trainer.config, trainer.derived()[0], backend, seed)
        rows.append({**row, "folder": folder})
    key = "retrained" if config.search.pick_by == "retrain" else "accuracy"
    best = max(rows, key=lambda row: row[key])
    if not backend.rank:
        write_json(top / "seeds.json", {"best": best["seed"], "by": key, "searches": [_plain(row) for row in rows]})
        write_json(top / "genotype.json", read_json(best["folder"] / "genotype.json"))
        print(table(rows))
        print(f"\nbest by {key}: seed {best['seed']}, {top}/genotype.json")
    return 0


def table(rows):
    """A row a search, then mean and spread (standard deviation of a sample)."""
    header = [key for key in rows[0] if key != "folder"]
    cells = [[_shown(row[key]) for key in header] for row in rows]
    columns = [[row[key] for row in rows] for key in header[1:]]
    cells.append(["mean", *(_shown(statistics.fmean(column)) for column in columns)])
    if len(rows) > 1:
        cells.append(["spread", *(_shown(statistics.stdev(column)) for column in columns)])
    return render(header, cells)


def _shown(value):
    return f"{value:.4f}" if isinstance(value, float) else value


def _plain(row):
    return {**row, "folder": row["folder"].name}


def _without_seeds(recipe):
    return {**recipe, "search": {key: value for key, value in recipe.get("search", {}).items() if key != "seeds"}}


def _folder(config):
    """Where the searches' folders go; those that are there already go on with --resume auto."""
    if config.train.run_dir:
        return Path(config.train.run_dir)
    named = Path("runs") / f"{run_folder.run_name(config)}-seeds"
    return named if config.train.resume else run_folder.unused(named)
